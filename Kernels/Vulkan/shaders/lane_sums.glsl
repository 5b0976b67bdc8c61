// The sum of the lanes in `sums`, which the shader that includes this has declared.

// The lanes of sum `index`, added in pairs at distance 16, 8, 4, 2, 1.
float sumOfLanes(uint index) {
    precise float lanes[LANES / 2];
    for (uint i = 0; i < LANES / 2; i++)
        lanes[i] = sums[index * LANE_STRIDE + i] + sums[index * LANE_STRIDE + i + LANES / 2];
    for (uint distance = LANES / 4; distance > 0; distance /= 2)
        for (uint i = 0; i < distance; i++) lanes[i] += lanes[i + distance];
    return lanes[0];
}
