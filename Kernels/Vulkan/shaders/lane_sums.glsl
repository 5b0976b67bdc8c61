// The sum of lanes in the shared array `sums`, which the including shader declares.

// Four consecutive lanes, beginning at `place`.
vec4 fourLanes(uint place) { return vec4(sums[place], sums[place + 1], sums[place + 2], sums[place + 3]); }

// The lanes of sum `index`, added in pairs at distance 16, 8, 4, 2, 1.
float sumOfLanes(uint index) {
    uint start = index * LANE_STRIDE;
    // Lanes 0 to 3, 4 to 7, 8 to 11 and 12 to 15. Not an array, which the driver might put into memory.
    precise vec4 a = fourLanes(start) + fourLanes(start + 16), b = fourLanes(start + 4) + fourLanes(start + 20);
    precise vec4 c = fourLanes(start + 8) + fourLanes(start + 24), d = fourLanes(start + 12) + fourLanes(start + 28);
    a += c;
    b += d;
    a += b;
    precise vec2 pair = a.xy + a.zw;
    precise float sum = pair.x + pair.y;
    return sum;
}
