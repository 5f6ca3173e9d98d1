/// FNV-1a over 32 bits. <http://www.isthe.com/chongo/tech/comp/fnv/>
pub fn fnv1a_32(bytes: &[u8]) -> u32 {
    bytes.iter().fold(0x811c_9dc5, |hash: u32, byte| hash.wrapping_mul(0x0100_0193) ^ u32::from(*byte))
}
