"""Takes a WorldConfig, gives recordings with known true rates: a movie, an eye, behaviour, and V1-like units that
see it all."""

from ablate.data.synthetic.config import SyntheticV1Config
