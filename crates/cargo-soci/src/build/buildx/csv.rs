//! One line of CSV, as `--output` takes it.

/// Fields that hold a comma or a quote are quoted.
pub(super) fn write(fields: &[String]) -> String {
    let quoted: Vec<String> = fields
        .iter()
        .map(|field| {
            if field.contains([',', '"', '\n']) {
                format!("\"{}\"", field.replace('"', "\"\""))
            } else {
                field.clone()
            }
        })
        .collect();
    quoted.join(",")
}

/// The fields of one line of CSV.
pub(super) fn read(line: &str) -> Option<Vec<String>> {
    let mut fields = Vec::new();
    let mut rest = line;
    loop {
        let mut field = String::new();
        if let Some(mut quoted) = rest.strip_prefix('"') {
            loop {
                let (text, after) = quoted.split_once('"')?;
                field.push_str(text);
                match after.strip_prefix('"') {
                    Some(more) => {
                        field.push('"');
                        quoted = more;
                    }
                    None => {
                        rest = after;
                        break;
                    }
                }
            }
        } else {
            let end = rest.find(',').unwrap_or(rest.len());
            field.push_str(&rest[..end]);
            rest = &rest[end..];
        }
        fields.push(field);
        if rest.is_empty() {
            return Some(fields);
        }
        rest = rest.strip_prefix(',')?;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn csv_is_read_as_it_is_written() {
        let fields = ["type=oci", "dest=a,b", "x=\"q\"", ""]
            .map(str::to_owned)
            .to_vec();
        assert_eq!(read(&write(&fields)), Some(fields));
    }

    proptest::proptest! {
        #[test]
        fn any_fields_come_back_from_csv(fields in proptest::collection::vec("[ -~]{0,12}", 1..6)) {
            proptest::prop_assert_eq!(read(&write(&fields)), Some(fields));
        }
    }
}
