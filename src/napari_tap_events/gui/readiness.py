"""What is missing before a step can work on the movie."""

from __future__ import annotations

from napari_tap_events.project.session import Session

NO_MOVIE = "Open a movie in step 1 first."
NO_CHANNEL = "Choose in step 1 the channel in which events show: {channels}."


def missing(session: Session) -> str:
    """Return what must be done in step 1 first, as a sentence; "" where nothing must."""
    if session.project is None or session.entry is None or session.movie is None:
        return NO_MOVIE
    movie = session.movie
    if movie.n_channels > 1:
        named = [*movie.channel_names, *(f"channel {number}" for number in range(len(movie.channel_names), movie.n_channels))]
        return NO_CHANNEL.format(channels=" or ".join([", ".join(named[:-1]), named[-1]]))
    return ""
