"""Which pixels a tool takes: pure functions on label maps and images, numpy and OpenCV only, never Qt."""
