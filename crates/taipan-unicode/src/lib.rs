#![forbid(unsafe_code)]
pub fn is_alnum(c: u32) -> bool {
    char::from_u32(c).is_some_and(|c| c.is_alphanumeric())
}
pub fn is_decimal(c: u32) -> bool {
    (48..58).contains(&c)
}
pub fn is_space(c: u32) -> bool {
    char::from_u32(c).is_some_and(|c| c.is_whitespace()) || (28..=31).contains(&c)
}
pub fn is_linebreak(c: u32) -> bool {
    matches!(c, 10..=13 | 28..=30 | 0x85 | 0x2028 | 0x2029)
}
pub fn lower_simple(c: u32) -> u32 {
    char::from_u32(c).map_or(c, |c| c.to_lowercase().next().unwrap() as u32)
}
pub fn upper_simple(c: u32) -> u32 {
    char::from_u32(c).map_or(c, |c| c.to_uppercase().next().unwrap() as u32)
}
