// The product of four signed bytes with four others, summed: SPIR-V's OpSDot.
#extension GL_EXT_spirv_intrinsics : require

spirv_instruction(extensions = ["SPV_KHR_integer_dot_product"], capabilities = [6019, 6018], id = 4450)
int packedDot(int a, int b, spirv_literal int format);

int dot4(int a, int b) { return packedDot(a, b, 0); }
