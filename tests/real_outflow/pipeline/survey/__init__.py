"""The only plugin of the test pipeline."""
