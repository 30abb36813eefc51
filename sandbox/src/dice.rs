//! Chance that a seed decides alone, for whoever plays faults and must be able to play them again. Never for secrets.

/// A small generator (xorshift, 64 bits): the same seed, the same numbers, in every version.
#[derive(Debug, Clone)]
pub struct Dice(u64);

impl Dice {
    /// Dice of a seed. Zero, of which nothing comes, counts as one.
    pub fn new(seed: u64) -> Self {
        Self(seed.max(1))
    }

    /// A number below `sides`, which must not be zero.
    pub fn roll(&mut self, sides: u64) -> u64 {
        self.next() % sides
    }

    /// A number from 0 to 1.
    pub fn draw(&mut self) -> f64 {
        #[expect(clippy::cast_precision_loss, reason = "53 bits are what a fraction has")]
        let fraction = (self.next() >> 11) as f64;
        fraction / 9_007_199_254_740_992.0
    }

    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }
}
