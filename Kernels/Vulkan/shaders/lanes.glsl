// How a workgroup of a product is divided: lanes along a row, and slices of rows. The number of lanes determines the order of the
// sums; it is the same in all shaders.

const uint LANES = 32;
const uint SLICES = 4;
// An odd number, so that the lanes of different sums lie in different banks of shared memory.
const uint LANE_STRIDE = 33;

layout(local_size_x = 128) in;
