"""Settings of the recipes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import Field, field_validator

from napari_tap_events.settings.declare import FrameRange, Settings, not_one_fold, setting

Device = Literal["auto", "cpu", "cuda", "mps"]


class MovieSettings(Settings):
    """How to read a movie file where the file itself does not say."""

    axes: str | None = setting(None, "Axes of the file in order, e.g. TYX or TCYX, where the file does not tell.")
    channel: int | None = setting(None, "Channel to use, counted from 0, where there are several.", low=0)
    z: str | None = setting(None, "For stacks with depth: a plane counted from 0, or 'max' for the maximum projection.")
    pixel_size_um: float | None = setting(None, "Side of a pixel, where the file does not tell.", unit="um", low=1e-6)
    interval_s: float | None = setting(None, "Time between frames, where the file does not tell.", unit="s", low=1e-9)


class ComputeSettings(Settings):
    """Where and how to compute."""

    device: Device = setting("auto", "Device to compute on; auto takes a GPU where there is one.")
    threads: int | None = setting(None, "CPU threads to use; by default all cores.", low=1, advanced=True)
    memory_limit: float | None = setting(
        None,
        "Memory that a job may take: frames are encoded in smaller tiles, and large movies teach in blocks; "
        "a job that would take more all the same is not begun.",
        unit="GB",
        low=0.5,
        advanced=True,
    )
    precision: Literal["auto", "float32", "bfloat16"] = setting(
        "auto", "Number format for the network; auto is bfloat16 on GPUs that have it, else float32.", advanced=True
    )


Preset = Literal["unet32", "unet16", "unet8", "vit_small", "vit_tiny"]


class EncoderSettings(Settings):
    """The backbone: a network that turns an image into a feature map."""

    preset: Preset = setting(
        "unet16",
        "Network: the U-Nets unet32 (the published one), unet16 (a quarter of its cost) and unet8; "
        "or transformers of patches of 8 px, vit_small and vit_tiny (for trials), which want long training.",
    )
    padding: Literal["zeros", "replicate"] = setting(
        "zeros", "What convolutions see beyond the border; zeros is faster, replicate is the published one.", advanced=True
    )


class PretrainSettings(EncoderSettings):
    """Games that teach an encoder without labels, such as: which of two crops came first?"""

    pretext: str = setting(
        "time_arrow",
        "Games to learn by, with weights: time_arrow, simulated, or both as time_arrow:1,simulated:1. "
        "simulated finds events in made-up movies and needs no movie of yours. The command games lists all.",
    )
    game_settings: tuple[str, ...] = setting(
        (), "Settings of the games, as GAME.SETTING=VALUE, e.g. order.mode=verify; several with commas.", advanced=True
    )
    start_from: str = setting(
        "",
        "Encoder to go on from instead of from nothing: a folder, or 'shipped' for the one that comes with the program.",
        also="--from",
    )
    patch_px: int = setting(48, "Side of the crops; about three cell diameters.", unit="px", low=16, high=512)
    steps: int | None = setting(None, "Training steps; by default from the epochs.", low=1)
    epochs: float = setting(40, "Passes of pairs_per_epoch pairs; ignored where steps are given.", low=0.001)
    pairs_per_epoch: int = setting(1600, "Crop pairs that make one epoch.", unit="pairs", low=1, advanced=True)
    batch: int = setting(32, "Crop pairs per step.", unit="pairs", low=2, high=4096)
    accumulate: int = setting(
        1,
        "Batches that are added up in each step: a larger batch in the same memory. The program sets it itself where memory runs out.",
        unit="batches",
        low=1,
        high=1024,
        advanced=True,
    )
    compile: bool = setting(
        False,
        "Compile the network before learning: up to a minute, which pays on long jobs. Where it cannot be, it stays as it is.",
        advanced=True,
    )
    frames: FrameRange = setting("", "Frames to learn from, A:B; by default all but the validation frames.")
    val_frames: FrameRange = setting("", "Frames to judge by, A:B; by default the last fifth of each movie.")
    synthetic_movies: int = setting(
        0, "Synthetic movies to learn from beside your own; their truth is not used. 30 help a short movie.", low=0, high=1000
    )
    synthetic_look: Literal["nuclei", "phase", "both"] = setting(
        "both", "Look of synthetic and simulated movies: fluorescent nuclei, phase contrast, or both.", advanced=True
    )
    own_share: float = setting(
        0.3, "Share of the pairs drawn from your own movies where synthetic ones are used.", low=0, high=1, advanced=True
    )
    deltas: tuple[Annotated[int, Field(ge=1)], ...] = setting(
        (1,), "Distances in time between the two crops; several are drawn evenly.", unit="frames", least=1
    )
    sampling: Literal["motion", "uniform"] = setting(
        "motion", "Where crops are drawn: more often where something moves, or everywhere alike (published)."
    )
    uniform_share: float = setting(0.2, "Share of uniform crops mixed into motion sampling.", low=0, high=1, advanced=True)
    motion_blur_px: float = setting(
        4.0, "Blur of the squared frame difference: half a cell radius.", unit="px", low=0, advanced=True
    )
    simulated_px: int = setting(96, "Side of the crops of simulated movies.", unit="px", low=32, high=512, advanced=True)
    simulated_batch: int = setting(
        10, "Crop pairs of simulated movies per step.", unit="pairs", low=2, high=4096, advanced=True
    )
    simulated_movies: int = setting(24, "Simulated movies at hand at a time.", low=1, high=1000, advanced=True)
    simulated_renew: int = setting(
        6, "Steps after which one of the simulated movies gives way to a new one.", unit="steps", low=1, advanced=True
    )
    decorrelation: Literal["centred", "paper", "none"] = setting(
        "centred", "Form of the feature decorrelation loss.", advanced=True
    )
    decorrelation_weight: float = setting(0.01, "Weight lambda of the decorrelation loss.", low=0, advanced=True)
    decorrelation_tau: float = setting(0.2, "Temperature tau of the decorrelation loss.", low=1e-3, advanced=True)
    augmentation: float = setting(
        1.0, "Strength of the augmentation: 1 is the published one, 0 none.", low=0, high=2, advanced=True
    )
    learning_rate: float = setting(1e-3, "Highest learning rate of Adam.", low=1e-7, high=1, advanced=True)
    schedule: Literal["one-cycle", "cyclic", "constant"] = setting(
        "one-cycle", "Course of the learning rate; cyclic is the published one.", advanced=True
    )
    weight_decay: float = setting(1e-6, "Weight decay of Adam.", low=0, advanced=True)
    val_every: int = setting(100, "Steps between validations and checkpoints.", unit="steps", low=1, advanced=True)
    val_pairs: int = setting(256, "Fixed validation pairs of each sampling.", unit="pairs", low=8, advanced=True)
    keep: Literal["last", "best"] = setting(
        "last", "Weights to keep: the last, or those with the best validation cross entropy (published).", advanced=True
    )
    patience: int = setting(0, "Stop after so many validations without progress; 0 never stops early.", low=0, advanced=True)
    seed: int = setting(0, "Seed of every random choice.", low=0)


Criterion = Literal["any-both", "any-either", "size-both", "size-either"]
HeadKind = Literal["evidence", "resnet", "linear"]


class LabelSettings(Settings):
    """When a pair of crops counts as an event."""

    criterion: Criterion = setting(
        "size-both",
        "Which crop pairs are events: with any event pixel or with more than area_px of them, in both frames or in either.",
    )
    area_px: int = setting(40, "Event area that the size criterion asks for.", unit="px", low=0)
    scope_frames: FrameRange = setting("", "Frames in which every event was marked, A:B; by default all.")
    scope_region: str = setting(
        "",
        "Rows and columns in which every event was marked, y0:y1,x0:x1; by default all. Outside nothing is known.",
        unit="px",
    )
    crop_px: int = setting(48, "Side of the crops that are judged.", unit="px", low=8, high=512)
    kinds: Literal["separate", "merged"] = setting(
        "separate", "Tell kinds of event apart, where several are marked; or merge them: an event is an event."
    )


FEW_EVENTS = 50
"""With fewer events a fifth of them, ten, is too little to choose a threshold by, and another fifth too little to judge by."""
FEW_EVENT_FOLDS = 4


class RegisterSettings(Settings):
    """How the shake and the drift of a stage are undone."""

    max_shift_px: int = setting(32, "Largest shift from one frame to the next that is looked for.", unit="px", low=1, high=512)
    field: Literal["all", "common", "first"] = setting(
        "common",
        "What the new movie shows: common, what all frames show; all, whatever any frame shows; first, what the first one shows. Where "
        "a frame shows nothing of it, its border goes on, and events seem to be there that are none.",
    )


class SplitSettings(Settings):
    """Which frames teach and which judge."""

    split: Literal["time-blocks", "event-blocks", "movies", "random"] = setting(
        "time-blocks",
        "How frames are shared out: blocks of time of the same length, or with about as many events each, or movies; "
        "random is the published split and leaks.",
    )
    folds: int | None = setting(
        None,
        f"Time blocks, each judged by heads that never saw it, while the last head learns from all; 0 splits once into 60/20/20 %. "
        f"Left out: {FEW_EVENT_FOLDS} while fewer than {FEW_EVENTS} events are marked, or fewer blocks with as many events each, "
        "where some head would have none to learn from.",
        low=0,
        high=50,
    )
    nested: bool = setting(
        True, "With folds, calibrate each fold by heads that never saw it: strict, at the cost of more heads.", advanced=True
    )
    guard_frames: int = setting(2, "Frames left out between blocks.", unit="frames", low=0, advanced=True)
    teaching_events: int = setting(
        0,
        "Events that teach, drawn by the seed; the others count neither way. 0 takes all.",
        unit="events",
        low=0,
        advanced=True,
    )

    _not_one_fold = field_validator("folds")(not_one_fold)

    def folds_for(self, events: int) -> int:
        """Return how many folds there are when so many events are marked; few events must all teach and all judge."""
        if self.folds is not None:
            return self.folds
        return FEW_EVENT_FOLDS if events < FEW_EVENTS and self.split != "random" else 0


class EventSettings(Settings):
    """When two events are one and the same."""

    radius_px: float = setting(
        15.0,
        "Events closer than this, and near in time, are one and the same: as far as two daughters just parted reach.",
        unit="px",
        low=1,
    )
    radius_frames: int = setting(
        2, "Events closer in time than this, and near in space, are one and the same.", unit="frames", low=0
    )


FEW_STEPS, MANY_STEPS, STEPS_PER_EVENT = 200, 1000, 5
"""A head learns for at least and at most so many steps, between them for so many for each event: more did not find more."""


class HeadSettings(LabelSettings, SplitSettings, EventSettings):
    """The event head: a small network that says event or no event, by the image or by features that stay as they are."""

    encoder: str = setting(
        "shipped",
        "Folder of a pretrained encoder; 'shipped' for the one that comes with the program; "
        "or a control: random, random-paper, scratch, intensity, difference.",
    )
    preset: Preset = setting("unet16", "Network of the controls random, random-paper and scratch.", advanced=True)
    head: HeadKind = setting("evidence", "Kind of head: evidence (pooled evidence map), or the published resnet and linear.")
    scale: float | None = setting(
        None,
        "Times the sides of frames as the encoder sees them; by default 1, but for one that simulated movies have taught such that events "
        "are as large as in those.",
        low=0.1,
        high=4,
        advanced=True,
    )
    arrow: bool | None = setting(
        None, "Give the head the arrow map as a further input. By default, where the encoder has an arrow head."
    )
    simulated: bool | None = setting(
        None,
        "Weigh what simulated movies have taught the encoder about events against the head, on frames that the head never saw. "
        "By default, where they have taught it.",
    )
    features: bool | None = setting(
        None, "Give the head the encoder's features. By default, where simulated is off.", advanced=True
    )
    intensity: bool | None = setting(
        None, "Give the head the normalised image. By default, where arrow or simulated is on.", advanced=True
    )
    pair: Literal["mean", "both"] = setting(
        "both", "How the evidence head joins the two frames: both in their order, or their mean (blind to time).", advanced=True
    )
    calibration: Literal["platt", "temperature", "none"] = setting(
        "platt", "How probabilities are made honest: temperature and bias, temperature alone, or not at all."
    )
    time_flips: bool = setting(
        False, "Show each event backwards in time, too, as what is no event: a division reversed is none.", advanced=True
    )
    steps: int | None = setting(
        None,
        f"Training steps of the head. Left out: {FEW_STEPS}; outside of reviews {STEPS_PER_EVENT} for each event that teaches, where "
        f"that is more, {MANY_STEPS} at most.",
        low=1,
    )
    batch: int = setting(8, "Map tiles per step.", low=1, advanced=True)
    tile_px: int = setting(
        96, "Side of the map tiles, all windows of which are learned at once.", unit="px", low=16, advanced=True
    )
    learning_rate: float = setting(5e-3, "Highest learning rate of Adam.", low=1e-7, high=1, advanced=True)
    weight_decay: float = setting(1e-4, "Weight decay of Adam.", low=0, advanced=True)
    seed: int = setting(0, "Seed of every random choice.", low=0)

    def steps_for(self, events: int) -> int:
        """Return for how many steps a head learns when so many events are marked."""
        teaching = min(self.teaching_events or events, events)
        return self.steps or min(MANY_STEPS, max(FEW_STEPS, STEPS_PER_EVENT * teaching))


class AdoptSettings(Settings):
    """A checkpoint of somebody else becomes an encoder whose features are frozen."""

    keep: int = setting(
        32, "Features to keep: the directions in which those of the checkpoint differ most in your movies.", low=1, high=4096
    )


class DetectSettings(Settings):
    """From probability maps to events."""

    radius_px: float | None = setting(
        None,
        "Events closer than this, and near in time, are one and the same; by default as the head was trained, 15 px without one.",
        unit="px",
        low=1,
    )
    radius_frames: int | None = setting(
        None,
        "Events closer in time than this, and near in space, are one and the same; by default as the head was trained, 2 frames "
        "without one.",
        unit="frames",
        low=0,
    )
    scale: float | None = setting(
        None,
        "Times the sides of frames as the encoder sees them; by default 1, but for one that simulated movies have taught such that events "
        "are as large as in those. A head sees them as it was taught.",
        low=0.1,
        high=4,
        advanced=True,
    )
    stride_px: int = setting(4, "Distance between neighbouring windows of the map.", unit="px", low=2, high=64)
    threshold: float | None = setting(
        None, "Least probability of an event; by default the one chosen on held-out data.", low=0, high=1
    )
    frames: FrameRange = setting("", "Frames to search, A:B; by default all.")
    by: Literal["auto", "simulated", "arrow", "both"] = setting(
        "auto",
        "Without labels, rank by what simulated movies have taught (simulated), by the arrow of time (arrow), or by both; "
        "auto takes simulated where the encoder has it. A head does not ask for this.",
    )

    def same_event(self, head: Mapping[str, Any] | None = None) -> EventSettings:
        """Return when two events are one; what is not given here is as in the details of a head's card, or by default."""
        given = {name: getattr(self, name) for name in EventSettings.declared() if getattr(self, name) is not None}
        taught = {name: value for name, value in (head or {}).items() if name in EventSettings.declared()}
        return EventSettings.checked(**{**taught, **given})


class ScoreSettings(Settings):
    """When a predicted event counts as a true one."""

    radius_px: float = setting(15.0, "Greatest distance between a predicted and a true event.", unit="px", low=0)
    frames: int = setting(2, "Greatest difference in time between a predicted and a true event.", unit="frames", low=0)
    partial: bool = setting(False, "Not every true event was marked: tell recall only, as a false event cannot be told.")


class ExplainSettings(Settings):
    """Where a network looks: Grad-CAM."""

    insets: int = setting(8, "Number of ranked insets.", low=0, high=100)
    inset_px: int = setting(48, "Side of an inset.", unit="px", low=8)
    frames: FrameRange = setting("", "Frames to explain, A:B; by default all.")
    radius_px: float | None = setting(
        None,
        "Events closer than this are one and the same: by it an encoder that simulated movies have taught is shown cells as large as "
        "there; by default 15 px. A head sees frames as it was taught.",
        unit="px",
        low=1,
    )
    scale: float | None = setting(
        None,
        "Times the sides of frames as the encoder sees them; by default as radius_px says. A head sees them as it was taught.",
        low=0.1,
        high=4,
        advanced=True,
    )


class DemoSettings(Settings):
    """The whole job in one go."""

    start_from: str = setting(
        "shipped",
        "Encoder that pretraining goes on from: a folder, or 'shipped' for the one that comes with the program; 'nothing' begins anew.",
        also="--from",
    )
    preset: Preset = setting("unet16", "Network, where nothing is gone on from.")
    patch_px: int = setting(
        48, "Side of the crops that teach the time arrow; about three cell diameters.", unit="px", low=16, high=512
    )
    pretrain_steps: int = setting(150, "Steps of pretraining; from nothing 400 are better.", low=1)
    head: HeadKind = setting("evidence", "Kind of event head.")
    crop_px: int | None = setting(
        None,
        "Side of the crops that are judged; by default it fits the marks, as all other sizes do.",
        unit="px",
        low=8,
        high=512,
    )
    head_steps: int = setting(120, "Steps of each head.", low=1)
    folds: int = setting(4, "Time blocks for the out-of-fold score.", low=2, high=50)
    seed: int = setting(0, "Seed of every random choice.", low=0)
