"""ViViT over a whole clip, the rivals of a frame encoder with a mixer: take pixels, give one token a time step."""
