//! The line that names a server's notices, and plans that name none.

use super::at;
use crate::domain::plan::ladder_line;
use crate::plan_doc::{Setting, ladder, read, usual_ladder};

#[test]
fn a_ladder_is_read_as_it_is_written_and_what_cannot_be_read_is_named() {
    let usual = ladder_line(&usual_ladder());
    assert_eq!(usual, "T-24h engineering, T-2h support, T-30m status page");
    let own = ladder("Support team briefed (T-2h); T-2d: legal\nT-90 min engineering").unwrap();
    assert_eq!(ladder_line(&own), "T-2d legal, T-2h Support team briefed, T-1h 30m engineering");
    assert_eq!(ladder(&ladder_line(&own)).unwrap(), own, "what is written is read again");
    assert_eq!(ladder(" Off ").unwrap(), []);
    for (text, why) in [
        ("engineering", "gives no time before T-0"),
        ("T+2h support", "is not before T-0"),
        ("T-2h", "names no audience"),
        ("T-2h support, support T-120m", "appears twice"),
        (" , ", "There is no notice here"),
    ] {
        let refused = ladder(text).unwrap_err();
        assert!(refused.contains(why) && refused.contains("T-24h engineering"), "{text}: {refused}");
    }
    let many: Vec<String> = (1..=21).map(|n| format!("T-{n}h team {n}")).collect();
    assert!(ladder(&many.join(", ")).unwrap_err().contains("at most 20"));
}

#[test]
fn a_plan_that_names_no_notice_has_the_servers_and_one_that_strikes_them_out_has_none() {
    let setting = Setting { ladder: ladder("T-4h legal").unwrap(), ..at("2026-12-01T08:00:00Z") };
    let of = |text: &str| {
        let reading = read(text.as_bytes(), &setting);
        let said = reading.diagnostics.iter().any(|d| d.code == "TM088");
        (ladder_line(&reading.plan.unwrap().rungs), said)
    };
    let plan = |notices: &str| format!("# Release Plan\n\n## Communication Plan\n\n**Pre-Release:**\n\n{notices}\n");
    assert_eq!(of(&plan("")), ("T-4h legal".to_owned(), true));
    assert_eq!(of("# Tuesday\n\nWe ship.\n"), ("T-4h legal".to_owned(), true));
    assert!(!of(&plan("- [ ] Support team briefed (T-2h)")).1);
    assert_eq!(of(&plan("- [ ] ~~Support team briefed (T-2h)~~")), ("off".to_owned(), false));
}
