//! Five targets written against the contract alone, without the SDK: the proof that the contract can say what real
//! providers need. Each is an example of this package and becomes a component; the tests of the host install them all.
//!
//! - `slack_webhook`: a URL that is itself the secret, one for each record;
//! - `standard_webhook`: signed requests to the record's own address;
//! - `apns`: a token that the component makes of a key which it never sees;
//! - `twilio`: asking before sending twice, receipts, verified callbacks;
//! - `expo`: a hundred in one request, of which some fail.
