"""DICOM files made on the spot."""

import pytest
from dicom_writer import write_dicom


@pytest.fixture
def dicom():
    return write_dicom
