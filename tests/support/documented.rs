//! Tables in `docs/` that tests produce: what is written there is what was measured.

use std::path::Path;

/// Compares with what stands between the markers in `docs/{page}.md`; `UPDATE_DOCS=1` writes it there.
#[allow(dead_code, reason = "a module of several tests, each of which uses its part")]
pub fn compare(page: &str, table: &str) {
    compare_part(page, page, table);
}

/// As above, between the markers of `part`.
pub fn compare_part(page: &str, part: &str, table: &str) {
    let (begin, end) = (format!("<!-- {part}: begin -->\n"), format!("<!-- {part}: end -->"));
    // Packages below the root have their pages there too.
    let package = Path::new(env!("CARGO_MANIFEST_DIR"));
    let root = package.ancestors().find(|folder| folder.join("docs").is_dir()).unwrap();
    let path = root.join(format!("docs/{page}.md"));
    let text = std::fs::read_to_string(&path).unwrap();
    let (before, rest) = text.split_once(&begin).unwrap();
    let (documented, after) = rest.split_once(&end).unwrap();
    if documented == table {
        return;
    }
    if std::env::var_os("UPDATE_DOCS").is_some() {
        std::fs::write(&path, format!("{before}{begin}{table}{end}{after}")).unwrap();
        return;
    }
    panic!("docs/{page}.md says otherwise; UPDATE_DOCS=1 writes this into it:\n{table}");
}
