//! The controller of namespaces: what is in one that is being deleted goes first.

use std::rc::Rc;

use liqo_model::{Kind, ObjectKey};

use super::Stored;
use super::server::{ApiServer, CONTENT};

impl ApiServer {
    /// Does what is to be done now.
    pub(crate) fn sweep(&mut self) {
        let ending: Vec<Rc<Stored>> =
            self.list(Kind::Namespace).filter(|namespace| namespace.deleting).cloned().collect();
        for namespace in ending {
            let content: Vec<ObjectKey> =
                self.objects.keys().filter(|key| key.namespace == namespace.key.name).cloned().collect();
            if content.is_empty() {
                // It cannot fail: the object was just seen.
                let _ = self.change(&namespace.key, |namespace| {
                    namespace.finalizers.remove(CONTENT);
                });
            }
            for key in content {
                let _ = self.delete(&key);
            }
        }
    }
}
