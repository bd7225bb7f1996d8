-- Functions whose bodies name tables go before the tables.
drop function relay_events, all_organisations, organisation_of_report, organisation_of_slug,
    organisation_of_enrolment, organisations_with_email;
