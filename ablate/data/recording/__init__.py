"""Takes a folder, gives one session's arrays, memory-mapped and checked; or the other way round."""

from ablate.data.recording.folder import read_recording, write_recording
from ablate.data.recording.session import Recording
