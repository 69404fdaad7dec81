"""How many streams of live events this process has open, for its metrics."""


class OpenStreams:
    """A counter that whoever opens and closes streams keeps."""

    count = 0


open_streams = OpenStreams()
