//! Tells of each try of a call of a service, for who asked to hear of it.

use crate::trace::{Span, tell};
use aws_smithy_runtime_api::box_error::BoxError;
use aws_smithy_runtime_api::client::interceptors::Intercept;
use aws_smithy_runtime_api::client::interceptors::context::{BeforeTransmitInterceptorContextRef, FinalizerInterceptorContextRef};
use aws_smithy_runtime_api::client::interceptors::dyn_dispatch_hint;
use aws_smithy_runtime_api::client::orchestrator::Metadata;
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use aws_smithy_types::config_bag::{ConfigBag, Storable, StoreReplace};

/// Listens to the calls of a client.
#[derive(Debug, Clone, Copy)]
pub struct Calls;

/// A try that is under way.
#[derive(Debug)]
struct Try(Span);

impl Storable for Try {
    type Storer = StoreReplace<Try>;
}

#[dyn_dispatch_hint]
impl Intercept for Calls {
    fn name(&self) -> &'static str {
        "Calls"
    }

    fn read_before_attempt(
        &self,
        _: &BeforeTransmitInterceptorContextRef<'_>,
        _: &RuntimeComponents,
        bag: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        bag.interceptor_state().store_put(Try(Span::begin()));
        Ok(())
    }

    fn read_after_attempt(
        &self,
        context: &FinalizerInterceptorContextRef<'_>,
        _: &RuntimeComponents,
        bag: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        let called = || bag.load::<Metadata>().map(|call| format!("{} {}", call.service(), call.name())).unwrap_or_default();
        let told = || match context.response() {
            Some(response) => format!("{}: {}", called(), response.status().as_u16()),
            None => format!("{}: no answer", called()),
        };
        match bag.load::<Try>() {
            Some(Try(span)) => span.done(told),
            None => tell(told),
        }
        Ok(())
    }
}
