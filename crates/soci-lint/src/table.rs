//! Values by key, in the order of the keys.

use std::borrow::Borrow;
use std::cmp::Ordering;
use std::collections::BTreeMap;
use std::ops::RangeBounds;

/// A map whose tree holds places in a list, so that all maps with one type of key are one piece of code:
/// a tree for each type of value is a tenth of the page's module.
#[derive(Debug, Clone)]
pub(crate) struct Table<K, V> {
    places: BTreeMap<K, usize>,
    values: Vec<V>,
}

impl<K, V> Default for Table<K, V> {
    fn default() -> Self {
        Self {
            places: BTreeMap::new(),
            values: Vec::new(),
        }
    }
}

impl<K: Ord, V> Table<K, V> {
    /// Sets a value; gives the one that was there.
    pub(crate) fn insert(&mut self, key: K, value: V) -> Option<V> {
        let next = self.values.len();
        match *self.places.entry(key).or_insert(next) {
            at if at < next => Some(std::mem::replace(&mut self.values[at], value)),
            _ => {
                self.values.push(value);
                None
            }
        }
    }

    /// The value, which is `first` if there was none.
    pub(crate) fn or_insert(&mut self, key: K, first: V) -> &mut V {
        let next = self.values.len();
        let at = *self.places.entry(key).or_insert(next);
        if at == next {
            self.values.push(first);
        }
        &mut self.values[at]
    }

    pub(crate) fn get<Q: Ord + ?Sized>(&self, key: &Q) -> Option<&V>
    where
        K: Borrow<Q>,
    {
        self.places.get(key).map(|&at| &self.values[at])
    }

    pub(crate) fn get_mut<Q: Ord + ?Sized>(&mut self, key: &Q) -> Option<&mut V>
    where
        K: Borrow<Q>,
    {
        self.places.get(key).map(|&at| &mut self.values[at])
    }

    pub(crate) fn keys(&self) -> impl Iterator<Item = &K> {
        self.places.keys()
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.values.is_empty()
    }

    /// By key.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (&K, &V)> {
        self.places.iter().map(|(key, &at)| (key, &self.values[at]))
    }

    /// By key.
    pub(crate) fn values(&self) -> impl Iterator<Item = &V> {
        self.iter().map(|(_, value)| value)
    }

    /// Those with keys in a range.
    pub(crate) fn range(&self, range: impl RangeBounds<K>) -> impl Iterator<Item = &V> {
        self.places.range(range).map(|(_, &at)| &self.values[at])
    }
}

impl<K: Ord, V> Extend<(K, V)> for Table<K, V> {
    fn extend<I: IntoIterator<Item = (K, V)>>(&mut self, entries: I) {
        for (key, value) in entries {
            self.insert(key, value);
        }
    }
}

/// Sorts, equal items in the order that they have. One sort for all types: each of its own is a hundredth of the
/// page's module.
pub(crate) fn sorted<T>(items: Vec<T>, compare: impl Fn(&T, &T) -> Ordering) -> Vec<T> {
    let order = order(items.len(), &|a, b| compare(&items[a], &items[b]));
    let mut items: Vec<Option<T>> = items.into_iter().map(Some).collect();
    order.into_iter().filter_map(|at| items[at].take()).collect()
}

fn order(length: usize, compare: &dyn Fn(usize, usize) -> Ordering) -> Vec<usize> {
    let mut order: Vec<usize> = (0..length).collect();
    order.sort_by(|a, b| compare(*a, *b));
    order
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;

    use super::{Table, sorted};

    proptest! {
        #[test]
        fn items_are_sorted_and_equal_ones_stay_in_order(items: Vec<(u8, u16)>) {
            let ours = sorted(items.clone(), |a, b| a.0.cmp(&b.0));
            let mut theirs = items;
            theirs.sort_by_key(|item| item.0);
            prop_assert_eq!(ours, theirs);
        }

        #[test]
        fn it_is_what_a_map_is(entries: Vec<(u8, u16)>, more: Vec<(u8, u16)>, from: u8, to: u8) {
            let mut table = Table::default();
            let mut map = BTreeMap::new();
            for (key, value) in entries {
                prop_assert_eq!(table.insert(key, value), map.insert(key, value));
            }
            for (key, value) in more {
                *table.or_insert(key, 7) ^= value;
                *map.entry(key).or_insert(7) ^= value;
            }
            prop_assert_eq!(table.is_empty(), map.is_empty());
            prop_assert!(table.iter().eq(map.iter()));
            prop_assert!(table.values().eq(map.values()));
            prop_assert!(table.keys().eq(map.keys()));
            let (from, to) = (from.min(to), from.max(to));
            prop_assert!(table.range(from..=to).eq(map.range(from..=to).map(|(_, value)| value)));
            prop_assert_eq!(table.get(&from), map.get(&from));
        }
    }
}
