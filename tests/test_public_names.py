import subprocess
import sys

import napari_tap_events


def test_every_public_name_is_there_under_its_own_name():
    for name in napari_tap_events.__all__:
        assert getattr(napari_tap_events, name).__name__ == name


def test_importing_the_package_loads_neither_torch_nor_numpy():
    heavy = "{'torch', 'numpy', 'pandas', 'pydantic', 'napari', 'qtpy'}"
    subprocess.run([sys.executable, "-c", f"import napari_tap_events, sys; assert not {heavy} & set(sys.modules)"], check=True)
