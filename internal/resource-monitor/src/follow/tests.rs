//! A monitor as users write them, beside a real engine.

mod plugin;
mod provider;

use std::net::SocketAddr;

use prometheus_client::encoding::text::encode;
use prometheus_client::registry::Registry;
use tokio::task::JoinHandle;
use tokio::time::timeout;

use super::*;
use plugin::{Plugin, Words};
use provider::Provider;

/// Longest wait for anything; everything takes milliseconds.
const DEADLINE: Duration = Duration::from_secs(30);

/// What asks the monitor, and what is counted of it.
struct Asking {
    task: JoinHandle<Result<(), Infallible>>,
    stop: watch::Sender<bool>,
    registry: Registry,
}

impl Asking {
    fn of(provider: &Provider, address: SocketAddr) -> Self {
        let mut registry = Registry::default();
        let metrics = Metrics::register(&mut registry);
        let monitor = ExternalMonitor::new(&address.to_string(), provider.engine.handle.clone(), metrics);
        let quick = Duration::from_millis(20);
        let pace = Pace { retry: quick, settle: Duration::ZERO, pause: (quick, quick), ..Pace::default() };
        let stop = watch::Sender::new(false);
        let task = tokio::spawn(ExternalMonitor { pace, ..monitor.unwrap() }.run(stop.subscribe()));
        Self { task, stop, registry }
    }

    fn figure(&self, name: &str) -> String {
        let mut text = String::new();
        encode(&mut text, &self.registry).unwrap();
        let line = text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
        line.unwrap_or_else(|| panic!("{name} is not in\n{text}")).to_owned()
    }

    /// Waits until a figure is this.
    async fn shows(&self, name: &str, value: &str) {
        while self.figure(name) != value {
            tokio::task::yield_now().await;
        }
    }

    async fn end(self) {
        self.stop.send_replace(true);
        self.task.await.unwrap().unwrap();
    }
}

/// Runs a test that must not take long.
async fn soon(test: impl Future<Output = ()>) {
    timeout(DEADLINE, test).await.expect("nothing more happens");
}

#[tokio::test]
async fn consumers_are_offered_what_the_monitor_says_and_follow_it() {
    soon(async {
        let words = Words::new();
        words.say("milan", "4");
        words.say("boston", "1500m");
        let plugin = Plugin::start(&words, 0).await;
        let mut provider = Provider::with(&["milan", "boston"]).await;
        assert!(provider.offers_nothing());
        let asking = Asking::of(&provider, plugin.address);
        let mut first = [provider.offer().await, provider.offer().await];
        first.sort();
        assert_eq!(first, [("boston".to_owned(), 1_500), ("milan".to_owned(), 4_000)]);
        // It is asked again about whom it names, and about all when it names nobody.
        words.say("milan", "2");
        words.say("boston", "1");
        words.notify("milan").await;
        assert_eq!(provider.offer().await, ("milan".to_owned(), 2_000));
        words.notify("").await;
        assert_eq!(provider.offer().await, ("boston".to_owned(), 1_000));
        // One whom nobody knows changes nothing.
        let questions = words.questions();
        words.notify("stranger").await;
        words.notify("milan").await;
        words.asked("milan", 4).await;
        assert_eq!(words.questions(), questions + 1);
        assert!(provider.offers_nothing());
        asking.shows("liqo_resource_monitor_connected", "1").await;
        asking.shows("liqo_resource_monitor_stale_consumers", "0").await;
        asking.end().await;
    })
    .await;
}

#[tokio::test]
async fn while_the_monitor_is_away_its_last_word_stands() {
    soon(async {
        let words = Words::new();
        words.say("milan", "4");
        let plugin = Plugin::start(&words, 0).await;
        let mut provider = Provider::with(&["milan"]).await;
        let asking = Asking::of(&provider, plugin.address);
        assert_eq!(provider.offer().await, ("milan".to_owned(), 4_000));
        let port = plugin.kill();
        asking.shows("liqo_resource_monitor_connected", "0").await;
        asking.shows("liqo_resource_monitor_stale_consumers", "1").await;
        assert!(provider.offers_nothing());
        // Nobody has to say that the answer is another one now.
        words.say("milan", "3");
        let _plugin = Plugin::start(&words, port).await;
        assert_eq!(provider.offer().await, ("milan".to_owned(), 3_000));
        asking.shows("liqo_resource_monitor_stale_consumers", "0").await;
        asking.end().await;
    })
    .await;
}

#[tokio::test]
async fn a_monitor_that_comes_late_is_found() {
    soon(async {
        let words = Words::new();
        words.say("milan", "4");
        let port = Plugin::start(&words, 0).await.kill();
        let mut provider = Provider::with(&["milan"]).await;
        let asking = Asking::of(&provider, ([127, 0, 0, 1], port).into());
        asking.shows("liqo_resource_monitor_stale_consumers", "1").await;
        let _plugin = Plugin::start(&words, port).await;
        assert_eq!(provider.offer().await, ("milan".to_owned(), 4_000));
        asking.end().await;
    })
    .await;
}

#[tokio::test]
async fn a_consumer_that_wants_nothing_any_more_is_removed() {
    soon(async {
        let words = Words::new();
        words.say("milan", "4");
        words.say("boston", "1");
        let plugin = Plugin::start(&words, 0).await;
        let mut provider = Provider::with(&["milan", "boston"]).await;
        let asking = Asking::of(&provider, plugin.address);
        provider.offer().await;
        provider.offer().await;
        provider.asks("milan", true).await;
        words.removed("milan").await;
        let handle = provider.engine.handle.clone();
        let mut published = handle.subscribe();
        while handle.read(|state| state.shares.contains_key(&ClusterId::new("milan"))).await.unwrap() {
            published.changed().await.unwrap();
        }
        assert!(handle.read(|state| state.shares.contains_key(&ClusterId::new("boston"))).await.unwrap());
        // Who comes back is asked about again.
        provider.asks("milan", false).await;
        words.asked("milan", 2).await;
        asking.end().await;
    })
    .await;
}

#[tokio::test]
async fn one_answer_that_makes_no_sense_disturbs_no_other() {
    soon(async {
        let words = Words::new();
        words.say("milan", "many");
        words.say("boston", "1");
        let plugin = Plugin::start(&words, 0).await;
        let mut provider = Provider::with(&["milan", "boston", "paris"]).await;
        let asking = Asking::of(&provider, plugin.address);
        assert_eq!(provider.offer().await, ("boston".to_owned(), 1_000));
        // Of milan it says nonsense, and paris it does not know.
        asking.shows("liqo_resource_monitor_stale_consumers", "2").await;
        asking.shows("liqo_resource_monitor_connected", "1").await;
        // It is asked again without being told to.
        words.say("milan", "2");
        assert_eq!(provider.offer().await, ("milan".to_owned(), 2_000));
        asking.shows("liqo_resource_monitor_stale_consumers", "1").await;
        assert!(provider.offers_nothing());
        asking.end().await;
    })
    .await;
}

#[tokio::test]
async fn an_address_that_makes_no_sense_is_refused_at_once() {
    let provider = Provider::with(&[]).await;
    let refused = ExternalMonitor::new("no address", provider.engine.handle.clone(), Metrics::default());
    let expected = "--resource-plugin-address \"no address\" is no address: write it as HOST:PORT";
    assert_eq!(refused.unwrap_err().to_string(), expected);
}
