"""Takes a Neurodata Without Borders file (NWB 2, HDF5), gives a recording: its units, one stimulus, behaviour.

    units['spike_times']              counts of each bin; obs_intervals: bins outside them are not scored
    stimulus (ImageSeries, ...)       frames with their own times
    stimulus (IndexSeries)            which frame of a template is shown from when
    intervals (`*_presentations`)     start_time, stop_time, frame of a template, as the Allen Institute writes them
    processing                        series of few columns: behaviour

Where several stimuli are candidates, or an axis order cannot be known, one setting decides and the message names it.
Reference: Rübel et al. 2022, eLife 11:e78362.
"""

from ablate.data.formats.nwb.config import NwbConfig, read_nwb
