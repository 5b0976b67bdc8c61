// Sums and maxima over the lanes of a workgroup, which computes one row.

const uint WIDTH = 128;
layout(local_size_x = 128) in;
shared float lanes[WIDTH];

// The lanes' values, added in pairs at distance 64, 32, …, 1; every lane gets the sum.
float sumOfRow(float value) {
    barrier();
    lanes[gl_LocalInvocationID.x] = value;
    for (uint distance = WIDTH / 2; distance > 0; distance /= 2) {
        barrier();
        precise float sum = lanes[gl_LocalInvocationID.x];
        if (gl_LocalInvocationID.x < distance) {
            sum += lanes[gl_LocalInvocationID.x + distance];
            lanes[gl_LocalInvocationID.x] = sum;
        }
    }
    barrier();
    return lanes[0];
}

// The largest of the lanes' values.
float maximumOfRow(float value) {
    barrier();
    lanes[gl_LocalInvocationID.x] = value;
    for (uint distance = WIDTH / 2; distance > 0; distance /= 2) {
        barrier();
        if (gl_LocalInvocationID.x < distance)
            lanes[gl_LocalInvocationID.x] =
                max(lanes[gl_LocalInvocationID.x], lanes[gl_LocalInvocationID.x + distance]);
    }
    barrier();
    return lanes[0];
}
