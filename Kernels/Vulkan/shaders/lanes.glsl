// How a workgroup of a product is cut: lanes along a row, and slices of rows. The number of lanes orders the sums, and is the
// same everywhere.

const uint LANES = 32;
const uint SLICES = 4;
// Odd, so that the lanes of different sums lie in different banks.
const uint LANE_STRIDE = 33;

layout(local_size_x = 128) in;
