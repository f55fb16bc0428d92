"""What every part of the package uses: files, errors, determinism, the device."""
