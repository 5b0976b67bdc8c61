// How the softmax over the tokens that a row sees is cut into chunks, and where what is left of each lies.

// Tokens of a chunk, counted from the first one that a row sees.
const uint CHUNK = 1024;

// Chunks of `count` tokens.
uint chunksOf(uint count) { return (count + CHUNK - 1) / CHUNK; }

// Behind the scores, of each head of each row and each chunk: its sum of values, its largest score, its sum of numerators.
#define CHUNK_RESULT(place, chunk) \
    (p.rows * p.heads * p.scoreStride + ((place) * chunksOf(p.scoreStride) + (chunk)) * (p.dimension + 2))
