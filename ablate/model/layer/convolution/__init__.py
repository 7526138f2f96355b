"""Convolution of maps: takes (b c t h w) or frames, gives maps whose steps and places are known exactly."""
