// The sum of the lanes in `sums`, which the shader that includes this has declared.

// Four lanes in a row, from a place on.
vec4 fourLanes(uint place) { return vec4(sums[place], sums[place + 1], sums[place + 2], sums[place + 3]); }

// The lanes of sum `index`, added in pairs at distance 16, 8, 4, 2, 1.
float sumOfLanes(uint index) {
    uint start = index * LANE_STRIDE;
    // Lanes 0 to 3, 4 to 7, 8 to 11 and 12 to 15: without an array, which might lie in memory.
    precise vec4 a = fourLanes(start) + fourLanes(start + 16), b = fourLanes(start + 4) + fourLanes(start + 20);
    precise vec4 c = fourLanes(start + 8) + fourLanes(start + 24), d = fourLanes(start + 12) + fourLanes(start + 28);
    a += c;
    b += d;
    a += b;
    precise vec2 pair = a.xy + a.zw;
    precise float sum = pair.x + pair.y;
    return sum;
}
