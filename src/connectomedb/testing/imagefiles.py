"""Bytes of small, valid NIfTI-1, GIFTI and CIFTI-2 files, written with `struct` alone.

The same arguments give the same bytes on every machine: compression uses stored blocks, and no time
enters. What is inside is noise; the description of every file says so.
"""

from __future__ import annotations

import math
import struct
import sys
import zlib
from array import array
from base64 import b64encode
from collections.abc import Sequence
from random import Random

NOTICE = "SYNTHETIC demonstration data"
_NIFTI_DTYPES = {"h": (4, 16), "f": (16, 32), "B": (2, 8)}
_DENSE_SERIES, _DENSE_SCALARS = 3002, 3006
_VERTICES_32K = 32_492


def gzip_stored(data: bytes) -> bytes:
    """`data` as a gzip file of stored blocks: nothing gained, nothing that depends on the library."""
    blocks = [data[i : i + 65535] for i in range(0, len(data), 65535)] or [b""]
    parts = [b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\xff"]
    for i, block in enumerate(blocks):
        last = i == len(blocks) - 1
        parts.append(struct.pack("<BHH", last, len(block), len(block) ^ 0xFFFF) + block)
    parts.append(struct.pack("<II", zlib.crc32(data), len(data) & 0xFFFFFFFF))
    return b"".join(parts)


def noise(rng: Random, n: int) -> array[int]:
    """`n` whole numbers of two bytes."""
    values = array("h", rng.randbytes(2 * n))
    if sys.byteorder == "big":
        values.byteswap()
    return values


def nifti(
    shape: Sequence[int], values: array[int] | array[float], *, voxel_mm: float = 2.0, tr_s: float = 0.72
) -> bytes:
    """A NIfTI-1 volume or series (x, y, z[, t]); ValueError when the values do not fill the shape."""
    if math.prod(shape) != len(values):
        raise ValueError(f"{len(values)} values do not fill {tuple(shape)}")
    code, bits = _NIFTI_DTYPES[values.typecode]
    dim = [len(shape), *shape, *[1] * (7 - len(shape))]
    pixdim = [1.0, voxel_mm, voxel_mm, voxel_mm, tr_s if len(shape) > 3 else 1.0, 1.0, 1.0, 1.0]
    header = struct.pack("<i10s18sihcB", 348, b"", b"", 0, 0, b"r", 0)
    header += struct.pack("<8h3f4h", *dim, 0.0, 0.0, 0.0, 0, code, bits, 0)
    header += struct.pack("<8f3fhBB4f2i", *pixdim, 352.0, 1.0, 0.0, 0, 0, 10, 0.0, 0.0, 0.0, 0.0, 0, 0)
    header += struct.pack("<80s24s2h6f", NOTICE.encode(), b"", 0, 1, *[0.0] * 6)
    for axis in range(3):
        header += struct.pack("<4f", *[voxel_mm if k == axis else 0.0 for k in range(3)], 0.0)
    header += struct.pack("<16s4s", b"", b"n+1\0")
    return header + b"\0\0\0\0" + _little_endian(values)


def volume(rng: Random, shape: Sequence[int]) -> bytes:
    """A `.nii.gz` of noise."""
    return gzip_stored(nifti(shape, noise(rng, math.prod(shape))))


def mask(shape: Sequence[int]) -> bytes:
    """A `.nii.gz` of ones."""
    return gzip_stored(nifti(shape, array("B", [1]) * math.prod(shape)))


def dtseries(rng: Random, n_frames: int, n_grayordinates: int, *, tr_s: float = 0.72) -> bytes:
    """A `.dtseries.nii`: n_frames of both cortices, the first few vertices of each."""
    series = (
        '<MatrixIndicesMap AppliesToMatrixDimension="0" IndicesMapToDataType="CIFTI_INDEX_TYPE_SERIES" '
        f'NumberOfSeriesPoints="{n_frames}" SeriesExponent="0" SeriesStart="0" SeriesStep="{tr_s}" '
        'SeriesUnit="SECOND"/>'
    )
    return _cifti(rng, series, n_frames, n_grayordinates, _DENSE_SERIES, "ConnDenseSeries", tr_s)


def dscalar(rng: Random, name: str, n_grayordinates: int) -> bytes:
    """A `.dscalar.nii` with one map called `name`."""
    scalars = (
        '<MatrixIndicesMap AppliesToMatrixDimension="0" IndicesMapToDataType="CIFTI_INDEX_TYPE_SCALARS">'
        f"<NamedMap><MapName>{name}</MapName></NamedMap></MatrixIndicesMap>"
    )
    return _cifti(rng, scalars, 1, n_grayordinates, _DENSE_SCALARS, "ConnDenseScalar", 1.0)


def surface(structure: str, radius_mm: float) -> bytes:
    """A `.surf.gii`: an icosahedron in place of a cortex. `structure` is CortexLeft or CortexRight."""
    golden = (1 + math.sqrt(5)) / 2
    scale = radius_mm / math.hypot(1, golden)
    points = [
        p
        for a in (-scale, scale)
        for b in (-golden * scale, golden * scale)
        for p in ((0.0, a, b), (a, b, 0.0), (b, 0.0, a))
    ]
    edge = 2 * scale * 1.001
    near = [[math.dist(p, q) <= edge for q in points] for p in points]
    n = len(points)
    faces = [
        (i, j, k)
        for i in range(n)
        for j in range(i + 1, n)
        for k in range(j + 1, n)
        if near[i][j] and near[j][k] and near[i][k]
    ]
    coordinates = array("f", [c for p in points for c in p])
    triangles = array("i", [v for f in faces for v in f])
    place = (
        "<CoordinateSystemTransformMatrix><DataSpace><![CDATA[NIFTI_XFORM_TALAIRACH]]></DataSpace>"
        "<TransformedSpace><![CDATA[NIFTI_XFORM_TALAIRACH]]></TransformedSpace>"
        "<MatrixData>1 0 0 0 0 1 0 0 0 0 1 0 0 0 0 1</MatrixData></CoordinateSystemTransformMatrix>"
    )
    return _gifti(
        structure,
        _data_array("NIFTI_INTENT_POINTSET", coordinates, (n, 3), place),
        _data_array("NIFTI_INTENT_TRIANGLE", triangles, (len(faces), 3)),
    )


def func_surface(rng: Random, structure: str, n_vertices: int, n_frames: int) -> bytes:
    """A `.func.gii`: one array of n_vertices by n_frames."""
    values = array("f", noise(rng, n_vertices * n_frames))
    return _gifti(structure, _data_array("NIFTI_INTENT_NONE", values, (n_vertices, n_frames)))


def _cifti(
    rng: Random, first_map: str, n_rows: int, n_columns: int, intent: int, intent_name: str, step: float
) -> bytes:
    half = n_columns // 2
    models = "".join(
        f'<BrainModel IndexOffset="{offset}" IndexCount="{count}" ModelType="CIFTI_MODEL_TYPE_SURFACE" '
        f'BrainStructure="CIFTI_STRUCTURE_CORTEX_{side}" SurfaceNumberOfVertices="{_VERTICES_32K}">'
        f"<VertexIndices>{' '.join(map(str, range(count)))}</VertexIndices></BrainModel>"
        for side, offset, count in (("LEFT", 0, half), ("RIGHT", half, n_columns - half))
    )
    xml = (
        f'<?xml version="1.0" encoding="UTF-8"?><CIFTI Version="2"><Matrix><MetaData><MD><Name>Notice</Name>'
        f"<Value>{NOTICE}</Value></MD></MetaData>{first_map}"
        '<MatrixIndicesMap AppliesToMatrixDimension="1" IndicesMapToDataType="CIFTI_INDEX_TYPE_BRAIN_MODELS">'
        f"{models}</MatrixIndicesMap></Matrix></CIFTI>"
    ).encode()
    extension_size = -(-(len(xml) + 8) // 16) * 16
    offset = 540 + 4 + extension_size
    offset = -(-offset // 16) * 16
    dim = [6, 1, 1, 1, 1, n_rows, n_columns, 1]
    pixdim = [1.0, 1.0, 1.0, 1.0, 1.0, step, 1.0, 1.0]
    header = struct.pack("<i8shh8q3d8d", 540, b"n+2\0\r\n\x1a\n", 16, 32, *dim, 0.0, 0.0, 0.0, *pixdim)
    header += struct.pack("<q2d2d2d2q", offset, 1.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0, 0)
    header += struct.pack("<80s24sii6d12d", NOTICE.encode(), b"", 0, 0, *[0.0] * 18)
    header += struct.pack("<iii16sB15s", 0, 12, intent, intent_name.encode(), 0, b"")
    extension = struct.pack("<4B", 1, 0, 0, 0) + struct.pack("<ii", extension_size, 32) + xml
    values = array("f", noise(rng, n_rows * n_columns))
    return (header + extension).ljust(offset, b"\0") + _little_endian(values)


def _gifti(structure: str, *arrays: str) -> bytes:
    return (
        '<?xml version="1.0" encoding="UTF-8"?>\n'
        f'<GIFTI Version="1.0" NumberOfDataArrays="{len(arrays)}">\n'
        "<MetaData><MD><Name><![CDATA[AnatomicalStructurePrimary]]></Name>"
        f"<Value><![CDATA[{structure}]]></Value></MD>"
        f"<MD><Name><![CDATA[Notice]]></Name><Value><![CDATA[{NOTICE}]]></Value></MD></MetaData>\n"
        "<LabelTable/>\n" + "\n".join(arrays) + "\n</GIFTI>\n"
    ).encode()


def _data_array(
    intent: str, values: array[int] | array[float], shape: tuple[int, int], place: str = ""
) -> str:
    kind = "NIFTI_TYPE_INT32" if values.typecode == "i" else "NIFTI_TYPE_FLOAT32"
    return (
        f'<DataArray Intent="{intent}" DataType="{kind}" ArrayIndexingOrder="RowMajorOrder" '
        f'Dimensionality="2" Dim0="{shape[0]}" Dim1="{shape[1]}" Encoding="Base64Binary" '
        'Endian="LittleEndian" ExternalFileName="" ExternalFileOffset="">'
        f"<MetaData/>{place}<Data>{b64encode(_little_endian(values)).decode()}</Data></DataArray>"
    )


def _little_endian(values: array[int] | array[float]) -> bytes:
    if sys.byteorder == "big":
        values = values[:]
        values.byteswap()
    return values.tobytes()
