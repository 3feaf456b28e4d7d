"""Bare programs that ours is compared to, each as small as it can be."""
