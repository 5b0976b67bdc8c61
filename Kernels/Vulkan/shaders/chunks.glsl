// How the softmax over the tokens that a row sees is divided into chunks, and where the results of a chunk lie.

// Tokens of a chunk. The first chunk begins with the first token that a row sees.
const uint CHUNK = 1024;

// Chunks of `count` tokens.
uint chunksOf(uint count) { return (count + CHUNK - 1) / CHUNK; }

// The index of the results of a chunk, of one head of one row: the sums of values, the largest score, the sum of numerators. They
// lie behind the scores.
#define CHUNK_RESULT(place, chunk) \
    (p.rows * p.heads * p.scoreStride + ((place) * chunksOf(p.scoreStride) + (chunk)) * (p.dimension + 2))
