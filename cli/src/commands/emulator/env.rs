//! `cci emulator env`: the lines that point each official client at an emulator, as the emulator has them.

use contact_center_insights_emulator::ClientLanguage;

use crate::args::{Language, Recipe};
use crate::exit::Exit;
use crate::failure::Failure;
use crate::terminal::print;

pub(super) fn run(args: &Recipe) -> Result<(), Failure> {
    let lines = client(args.lang).snippet(&args.address).ok_or_else(|| {
        let problem = format!("`{}` is not of the form HOST:PORT", args.address);
        Failure::new(Exit::Usage, problem)
    })?;
    print(&lines)
}

fn client(language: Language) -> ClientLanguage {
    match language {
        Language::Rust => ClientLanguage::Rust,
        Language::Python => ClientLanguage::Python,
        Language::Node => ClientLanguage::Node,
        Language::Java => ClientLanguage::Java,
        Language::Go => ClientLanguage::Go,
        Language::Curl => ClientLanguage::Curl,
    }
}

#[cfg(test)]
mod tests {
    use clap::ValueEnum as _;

    use super::*;

    #[test]
    fn every_language_of_the_emulator_is_asked_for_by_its_name() {
        let names: Vec<_> =
            Language::value_variants().iter().map(|language| client(*language).name()).collect();
        assert_eq!(names, ClientLanguage::ALL.map(ClientLanguage::name));
        for language in Language::value_variants() {
            let value = language.to_possible_value().unwrap();
            assert_eq!(value.get_name(), client(*language).name());
        }
    }
}
