//! What applications do in a pod or on a node.

use std::io::{self, Read as _, Write as _};
use std::net::{Ipv4Addr, SocketAddr, SocketAddrV4, TcpListener, TcpStream};
use std::thread;
use std::time::{Duration, Instant};

use rustix::net::{AddressFamily, RecvFlags, SendFlags, SocketType, ipproto, recv, sendto, socket, sockopt};

use socket2::SockRef;

use crate::namespace::Namespace;

/// Longest wait for a connection that should come about.
const PATIENCE: Duration = Duration::from_secs(10);
/// Wait for a connection that should not: a packet of such a short way takes less than a millisecond.
const SHORT: Duration = Duration::from_millis(700);

/// A TCP server that says where each client seems to be, and then returns what it is sent.
#[derive(Debug)]
pub struct Server {
    address: SocketAddr,
}

impl Server {
    /// Listens in a namespace on a port; it ends with this process.
    ///
    /// # Errors
    ///
    /// When the port is taken.
    pub fn start(namespace: &Namespace, port: u16) -> io::Result<Self> {
        let listener = namespace.enter(move || TcpListener::bind((Ipv4Addr::UNSPECIFIED, port)))?;
        let address = listener.local_addr()?;
        thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                thread::spawn(move || echo(stream));
            }
        });
        Ok(Self { address })
    }

    /// The port.
    pub fn port(&self) -> u16 {
        self.address.port()
    }
}

/// Sends the client's address, 6 bytes, and everything that it gets.
fn echo(mut stream: TcpStream) -> io::Result<()> {
    stream.set_nodelay(true)?;
    if let SocketAddr::V4(client) = stream.peer_addr()? {
        stream.write_all(&client.ip().octets())?;
        stream.write_all(&client.port().to_be_bytes())?;
    }
    io::copy(&mut stream.try_clone()?, &mut stream)?;
    Ok(())
}

fn connect(to: SocketAddrV4, patience: Duration) -> io::Result<(TcpStream, Ipv4Addr)> {
    let mut stream = TcpStream::connect_timeout(&SocketAddr::V4(to), patience)?;
    stream.set_read_timeout(Some(patience))?;
    stream.set_nodelay(true)?;
    let mut seen = [0; 6];
    stream.read_exact(&mut seen)?;
    Ok((stream, Ipv4Addr::new(seen[0], seen[1], seen[2], seen[3])))
}

/// A connection to a [`Server`] that stays open.
#[derive(Debug)]
pub struct Conversation {
    stream: TcpStream,
}

impl Conversation {
    /// Connects from a namespace.
    ///
    /// # Errors
    ///
    /// When the server cannot be reached.
    pub fn start(from: &Namespace, to: SocketAddrV4) -> io::Result<Self> {
        from.enter(move || connect(to, PATIENCE)).map(|(stream, _)| Self { stream })
    }

    /// Bytes of the longest segment that it sends.
    ///
    /// # Errors
    ///
    /// When the connection is broken.
    pub fn segment(&self) -> io::Result<u32> {
        SockRef::from(&self.stream).tcp_mss()
    }

    /// Says something and waits until it comes back.
    ///
    /// # Errors
    ///
    /// When the connection is broken, or nothing comes back in time.
    pub fn say(&mut self, text: &[u8]) -> io::Result<()> {
        self.stream.write_all(text)?;
        let mut answer = vec![0; text.len()];
        self.stream.read_exact(&mut answer)?;
        if answer == text { Ok(()) } else { Err(io::Error::other("other bytes came back")) }
    }
}

/// Whether a client in the namespace reaches a [`Server`], and as whom the server sees it. Nothing when it does not.
///
/// # Errors
///
/// When the namespace cannot be entered.
pub fn reaches(from: &Namespace, to: Ipv4Addr, port: u16) -> io::Result<Option<Ipv4Addr>> {
    from.enter(move || Ok(connect(SocketAddrV4::new(to, port), SHORT).ok().map(|(_, seen)| seen)))
}

/// Takes in everything that one client after the other sends, and says how much it was.
///
/// # Errors
///
/// When the port is taken.
pub fn sink(namespace: &Namespace, port: u16) -> io::Result<()> {
    let listener = namespace.enter(move || TcpListener::bind((Ipv4Addr::UNSPECIFIED, port)))?;
    thread::spawn(move || {
        for mut stream in listener.incoming().map_while(Result::ok) {
            thread::spawn(move || {
                let bytes = io::copy(&mut stream, &mut io::sink())?;
                stream.write_all(&bytes.to_be_bytes())
            });
        }
    });
    Ok(())
}

/// Sends as much as it can to a [`sink`] for a time. Bytes that arrived, and the time until the last did.
///
/// # Errors
///
/// When the connection breaks.
pub fn stream(from: &Namespace, to: SocketAddrV4, time: Duration) -> io::Result<(u64, Duration)> {
    from.enter(move || {
        let mut stream = TcpStream::connect_timeout(&SocketAddr::V4(to), PATIENCE)?;
        let chunk = vec![7; 128 << 10];
        let began = Instant::now();
        while began.elapsed() < time {
            stream.write_all(&chunk)?;
        }
        stream.shutdown(std::net::Shutdown::Write)?;
        let mut arrived = [0; 8];
        stream.read_exact(&mut arrived)?;
        Ok((u64::from_be_bytes(arrived), began.elapsed()))
    })
}

/// Sends bytes to a [`Server`] and takes them back; the time that it took.
///
/// # Errors
///
/// When they do not come back as they were, or take too long.
pub fn copy(from: &Namespace, to: SocketAddrV4, bytes: usize) -> io::Result<Duration> {
    from.enter(move || {
        let (mut stream, _) = connect(to, PATIENCE)?;
        let began = Instant::now();
        let pattern: Vec<u8> = (0..bytes).map(|index| (index % 251) as u8).collect();
        let sent = pattern.clone();
        let mut writer = stream.try_clone()?;
        let writing = thread::spawn(move || {
            writer.write_all(&sent)?;
            writer.shutdown(std::net::Shutdown::Write)
        });
        let mut received = Vec::with_capacity(bytes);
        stream.read_to_end(&mut received)?;
        let took = began.elapsed();
        writing.join().unwrap_or_else(|_| Err(io::Error::other("the writer panicked")))?;
        if received == pattern { Ok(took) } else { Err(io::Error::other("other bytes came back")) }
    })
}

/// Asks an address by ICMP whether it is there, with so many bytes in a packet that may not be split.
///
/// # Errors
///
/// When there is no answer in time.
pub fn ping(from: &Namespace, to: Ipv4Addr, payload: usize) -> io::Result<()> {
    from.enter(move || {
        let socket = socket(AddressFamily::INET, SocketType::RAW, Some(ipproto::ICMP))?;
        sockopt::set_socket_timeout(&socket, sockopt::Timeout::Recv, Some(SHORT))?;
        sockopt::set_ip_mtu_discover(&socket, sockopt::Ipv4PathMtuDiscovery::DO)?;
        let message = echo_request(payload);
        sendto(&socket, &message, SendFlags::empty(), &SocketAddrV4::new(to, 0))?;
        let mut buffer = vec![0; 65535];
        let deadline = Instant::now() + SHORT;
        while Instant::now() < deadline {
            let (length, _) = recv(&socket, &mut buffer[..], RecvFlags::empty())?;
            let answer = buffer[..length].get(20..).unwrap_or_default();
            // Type 0 is the answer; identifier, number and payload are those of the question.
            if answer.first() == Some(&0) && answer.get(4..) == message.get(4..) {
                return Ok(());
            }
        }
        Err(io::Error::from(io::ErrorKind::TimedOut))
    })
}

fn echo_request(payload: usize) -> Vec<u8> {
    let mut message = vec![8, 0, 0, 0, 0x18, 0x95, 0, 1];
    message.extend((0..payload).map(|index| (index % 251) as u8));
    let words = message.chunks(2).map(|pair| u32::from(pair[0]) << 8 | u32::from(*pair.get(1).unwrap_or(&0)));
    let mut sum: u32 = words.sum();
    while sum > 0xffff {
        sum = (sum & 0xffff) + (sum >> 16);
    }
    let [high, low] = (!(sum as u16)).to_be_bytes();
    (message[2], message[3]) = (high, low);
    message
}
