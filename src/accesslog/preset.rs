//! The formats that servers and services write where nobody says otherwise.

use super::LogFormat;
use super::line::LineValues;
use std::sync::{Arc, OnceLock};

/// A format with a name that everybody knows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Preset {
    /// The Common Log Format: `%h %l %u %t "%r" %>s %b`.
    Common,
    /// Common with referer and user agent.
    Combined,
    /// Debian's: virtual host and port before combined.
    VhostCombined,
    /// Combined with the bytes in and out of mod_logio.
    CombinedIo,
    /// nginx's `combined`: the same columns as Apache's.
    NginxCombined,
    /// `main` of the configuration that nginx's own packages bring along.
    NginxMain,
    /// Access logs of AWS's Application Load Balancers:
    /// <https://docs.aws.amazon.com/elasticloadbalancing/latest/application/load-balancer-access-logs.html>.
    Alb,
    /// Of Classic Load Balancers: <https://docs.aws.amazon.com/elasticloadbalancing/latest/classic/access-log-collection.html>.
    Clb,
    /// Of the TLS listeners of Network Load Balancers:
    /// <https://docs.aws.amazon.com/elasticloadbalancing/latest/network/load-balancer-access-logs.html>.
    Nlb,
    /// Server access logs of S3: <https://docs.aws.amazon.com/AmazonS3/latest/userguide/LogFormat.html>.
    S3,
    /// Standard logs of CloudFront:
    /// <https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/standard-logs-reference.html>.
    CloudFront,
    /// VPC flow logs in the default format: <https://docs.aws.amazon.com/vpc/latest/userguide/flow-log-records.html>.
    VpcFlow,
}

const COMMON: &str = r#"%h %l %u %t "%r" %>s %b"#;
const COMBINED: &str = r#"%h %l %u %t "%r" %>s %b "%{Referer}i" "%{User-Agent}i""#;
/// `%b` stands where some distributions have `%O`: both are the column `bytes`.
const VHOST_COMBINED: &str = r#"%v:%p %h %l %u %t "%r" %>s %b "%{Referer}i" "%{User-Agent}i""#;
const COMBINED_IO: &str = r#"%h %l %u %t "%r" %>s %b "%{Referer}i" "%{User-Agent}i" %I %O"#;
const NGINX_MAIN: &str = r#"$remote_addr - $remote_user [$time_local] "$request" $status $body_bytes_sent "$http_referer" "$http_user_agent" "$http_x_forwarded_for""#;
const ALB: &str = "{type} {time:iso} {elb} {client_ip:endpoint}:{client_port:int} {target_ip:endpoint}:{target_port:int} \
    {request_processing_time:double} {target_processing_time:double} {response_processing_time:double} {elb_status_code:status} \
    {target_status_code:status} {received_bytes:bigint} {sent_bytes:bigint} {request:url_request} {user_agent:quoted} {ssl_cipher} {ssl_protocol} \
    {target_group_arn} {trace_id:quoted} {domain_name:quoted?} {chosen_cert_arn:quoted?} {matched_rule_priority:int?} \
    {request_creation_time:iso?} {actions_executed:quoted?} {redirect_url:quoted?} {lambda_error_reason:quoted?} {target_port_list:quoted?} \
    {target_status_code_list:quoted?} {classification:quoted?} {classification_reason:quoted?} {conn_trace_id:quoted?} \
    {transformed_host:quoted?} {transformed_uri:quoted?} {request_transform_status:quoted?} {extra:text?}";
const CLB: &str = "{time:iso} {elb} {client_ip:endpoint}:{client_port:int} {backend_ip:endpoint}:{backend_port:int} \
    {request_processing_time:double} {backend_processing_time:double} {response_processing_time:double} {elb_status_code:int} \
    {backend_status_code:int} {received_bytes:bigint} {sent_bytes:bigint} {request:url_request} {user_agent:quoted?} {ssl_cipher:quoted?} \
    {ssl_protocol:quoted?} {extra:text?}";
const NLB: &str = "{type} {version} {time:iso} {elb} {listener} {client_ip:endpoint}:{client_port:int} \
    {destination_ip:endpoint}:{destination_port:int} {connection_time:bigint} {tls_handshake_time:bigint} {received_bytes:bigint} \
    {sent_bytes:bigint} {incoming_tls_alert} {chosen_cert_arn} {chosen_cert_serial} {tls_cipher} {tls_protocol_version} {tls_named_group} \
    {domain_name?} {alpn_fe_protocol?} {alpn_be_protocol?} {alpn_client_preference_list:text?} {tls_connection_creation_time:iso?} {extra:text?}";
const S3: &str = "{bucket_owner} {bucket} {time:clf} {remote_ip} {requester} {request_id} {operation} {key} {request:request} {http_status:status} \
    {error_code} {bytes_sent:bigint} {object_size:bigint} {total_time:bigint} {turn_around_time:bigint} {referer:quoted} {user_agent:quoted} \
    {version_id} {host_id?} {signature_version?} {cipher_suite?} {authentication_type?} {host_header?} \
    {tls_version?} {access_point_arn?} {acl_required?} {extra:text?}";
const CLOUDFRONT: &str = "{#}{time:date}\\t{time:clock}\\t{x_edge_location}\\t{sc_bytes:bigint}\\t{c_ip}\\t{cs_method}\\t{cs_host}\\t{cs_uri_stem}\\t\
    {sc_status:status}\\t{cs_referer}\\t{cs_user_agent}\\t{cs_uri_query}\\t{cs_cookie}\\t{x_edge_result_type}\\t{x_edge_request_id}\\t\
    {x_host_header}\\t{cs_protocol}\\t{cs_bytes:bigint}\\t{time_taken:double}\\t{x_forwarded_for?}\\t{ssl_protocol?}\\t{ssl_cipher?}\\t\
    {x_edge_response_result_type?}\\t{cs_protocol_version?}\\t{fle_status?}\\t{fle_encrypted_fields:int?}\\t{c_port:int?}\\t\
    {time_to_first_byte:double?}\\t{x_edge_detailed_result_type?}\\t{sc_content_type?}\\t{sc_content_len:bigint?}\\t\
    {sc_range_start:bigint?}\\t{sc_range_end:bigint?}\\t{extra:text?}";
const VPC_FLOW: &str = "{#version }{version:int} {account_id} {interface_id} {srcaddr} {dstaddr} {srcport:int} {dstport:int} {protocol:int} \
    {packets:bigint} {bytes:bigint} {time:epoch} {time_end:epoch} {action} {log_status} {extra:text?}";

impl Preset {
    /// All presets, those before others with which they have lines in common that are longer: a line that fits a longer format is never of a
    /// shorter one.
    pub const ALL: [Preset; 12] = [
        Preset::CombinedIo,
        Preset::VhostCombined,
        Preset::NginxMain,
        Preset::Combined,
        Preset::NginxCombined,
        Preset::Common,
        Preset::Alb,
        Preset::Nlb,
        Preset::Clb,
        Preset::S3,
        Preset::CloudFront,
        Preset::VpcFlow,
    ];

    /// The name on the command line.
    pub fn name(self) -> &'static str {
        match self {
            Preset::Common => "common",
            Preset::Combined => "combined",
            Preset::VhostCombined => "vhost_combined",
            Preset::CombinedIo => "combinedio",
            Preset::NginxCombined => "nginx_combined",
            Preset::NginxMain => "nginx_main",
            Preset::Alb => "alb",
            Preset::Clb => "clb",
            Preset::Nlb => "nlb",
            Preset::S3 => "s3",
            Preset::CloudFront => "cloudfront",
            Preset::VpcFlow => "vpc_flow",
        }
    }

    /// The preset of this name.
    pub fn named(name: &str) -> Option<Preset> {
        Preset::ALL.into_iter().find(|p| p.name() == name)
    }

    /// The format in its notation: as `httpd.conf` or `nginx.conf` has it, or a list of fields.
    pub fn log_format(self) -> &'static str {
        match self {
            Preset::Common => COMMON,
            Preset::Combined | Preset::NginxCombined => COMBINED,
            Preset::VhostCombined => VHOST_COMBINED,
            Preset::CombinedIo => COMBINED_IO,
            Preset::NginxMain => NGINX_MAIN,
            Preset::Alb => ALB,
            Preset::Clb => CLB,
            Preset::Nlb => NLB,
            Preset::S3 => S3,
            Preset::CloudFront => CLOUDFRONT,
            Preset::VpcFlow => VPC_FLOW,
        }
    }

    /// Whether `line` can be read as this.
    pub fn fits(self, line: &[u8]) -> bool {
        let format = self.format();
        LineValues::new(&format).read(&format, line).is_ok()
    }

    /// The format, parsed once.
    pub fn format(self) -> Arc<LogFormat> {
        static FORMATS: OnceLock<Vec<Arc<LogFormat>>> = OnceLock::new();
        let formats = FORMATS.get_or_init(|| {
            let parse = |p: Preset| LogFormat::parse(p.name(), p.log_format()).expect("a test parses every preset");
            Preset::ALL.into_iter().map(|p| Arc::new(parse(p))).collect()
        });
        let index = Preset::ALL.iter().position(|p| *p == self).expect("ALL has every preset");
        formats[index].clone()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn presets_have_the_columns_that_users_know() {
        let names = |preset: Preset| preset.format().columns().iter().map(|c| c.name.clone()).collect::<Vec<_>>().join(" ");
        for preset in [Preset::Common, Preset::Combined, Preset::NginxCombined, Preset::VhostCombined, Preset::CombinedIo] {
            let mut expected = "host ident auth_user time method path query protocol status bytes".to_string();
            match preset {
                Preset::Common => {}
                Preset::VhostCombined => expected = format!("vhost port {expected} referer user_agent"),
                Preset::CombinedIo => expected += " referer user_agent bytes_in bytes_out",
                _ => expected += " referer user_agent",
            }
            assert_eq!(names(preset), expected + " request", "{}", preset.name());
        }
        assert_eq!(
            names(Preset::NginxMain),
            "host auth_user time method path query protocol status bytes referer user_agent x_forwarded_for request"
        );
        for preset in Preset::ALL {
            assert!(preset.format().notes().is_empty(), "{:?}", preset.format().notes());
            assert!(preset.format().columns().iter().any(|column| column.name == "time"), "{}", preset.name());
            // No name stands twice, so that none has a number behind it.
            assert!(!names(preset).split(' ').any(|name| name.ends_with("_2")), "{}", preset.name());
        }
    }
}
