// Rotary position embedding.

// The elements of pair `pair` of a head: i and i + pairs, or 2i and 2i + 1.
uvec2 elementsOfPair(uint pair, uint pairs, bool hasHalves) {
    return hasHalves ? uvec2(pair, pair + pairs) : uvec2(2 * pair, 2 * pair + 1);
}

// Rotates the elements at `places` in place by the cosine and the sine at `angle`. Returns the new values.
vec2 rotatePair(Floats x, uvec2 places, Floats rotation, uint angle) {
    float cosine = rotation.at[angle], sine = rotation.at[angle + 1];
    precise float a = x.at[places.x], b = x.at[places.y];
    precise float left = fma(a, cosine, -(b * sine)), right = fma(a, sine, b * cosine);
    x.at[places.x] = left;
    x.at[places.y] = right;
    return vec2(left, right);
}
