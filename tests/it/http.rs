//! Requests to what stands in for AWS's services.

use etl::storage::wait;
use object_store::client::{HttpClient, HttpConnector, HttpRequest, HttpRequestBody, ReqwestConnector};
use object_store::{ClientOptions, HeaderValue};
use std::sync::OnceLock;

/// Sends a request, and gives the status and the body of what is answered; an error in words where nobody answers.
pub(crate) fn request(method: &str, url: &str, headers: &[(&'static str, &str)], body: &str) -> Result<(u16, String), String> {
    static CLIENT: OnceLock<HttpClient> = OnceLock::new();
    let options = || ClientOptions::new().with_allow_http(true).with_timeout(std::time::Duration::from_secs(120));
    let client = CLIENT.get_or_init(|| ReqwestConnector::default().connect(&options()).unwrap()).clone();
    let mut request = HttpRequest::new(HttpRequestBody::from(body.to_string()));
    *request.method_mut() = method.try_into().unwrap();
    *request.uri_mut() = url.parse().unwrap();
    for (name, value) in headers {
        request.headers_mut().insert(*name, HeaderValue::from_str(value).unwrap());
    }
    wait(async move {
        let response = client.execute(request).await.map_err(|e| e.to_string())?;
        let status = response.status().as_u16();
        let body = response.into_body().bytes().await.map_err(|e| e.to_string())?;
        Ok((status, String::from_utf8_lossy(&body).into_owned()))
    })
}
