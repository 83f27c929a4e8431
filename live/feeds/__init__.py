"""What is followed: each channel is a feed, which knows where it stands and brings all its listeners up to there."""
