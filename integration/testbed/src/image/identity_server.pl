#!/usr/bin/perl
# identity-server [PORT]: answers every HTTP request with one line of JSON that says which pod answered and whom it saw.
# One process for each connection; port 0 takes any free one. The port is printed when connections are accepted.
use strict;
use warnings;
use Socket qw(:addrinfo AF_INET AF_INET6 INADDR_ANY IN6ADDR_ANY IPPROTO_IPV6 IPV6_V6ONLY SOCK_STREAM SOL_SOCKET
    SO_REUSEADDR SOMAXCONN pack_sockaddr_in pack_sockaddr_in6);

my $longest_request = 65536; # bytes of its head
my $patience = 30;           # seconds for a client to send its request and take the answer

# Process 1 gets no signal that it has no handler for.
$SIG{TERM} = $SIG{INT} = sub { exit 0 };
$SIG{CHLD} = 'IGNORE';
$SIG{PIPE} = 'IGNORE';

my $server = listener($ARGV[0] // 8080);
print_line('listening on port ' . (address(getsockname($server)))[1]);
while (1) {
    my $peer = accept(my $client, $server) or next;
    my $child = fork;
    if (defined $child && $child == 0) {
        $SIG{TERM} = $SIG{INT} = 'DEFAULT';
        alarm $patience;
        close $server;
        answer($client, $peer);
        exit 0;
    }
    close $client;
}

# IPv6 and IPv4 on one socket, or IPv4 alone where the kernel has no IPv6.
sub listener {
    my ($port) = @_;
    my $wanted = pack_sockaddr_in6($port, IN6ADDR_ANY);
    my $socket;
    my $six = socket($socket, AF_INET6, SOCK_STREAM, 0) && setsockopt($socket, IPPROTO_IPV6, IPV6_V6ONLY, 0);
    setsockopt($socket, SOL_SOCKET, SO_REUSEADDR, 1) if $six;
    if (!$six || !bind($socket, $wanted)) {
        socket($socket, AF_INET, SOCK_STREAM, 0) or die "cannot open a socket: $!\n";
        setsockopt($socket, SOL_SOCKET, SO_REUSEADDR, 1);
        bind($socket, pack_sockaddr_in($port, INADDR_ANY)) or die "cannot listen on port $port: $!\n";
    }
    listen($socket, SOMAXCONN) or die "cannot listen on port $port: $!\n";
    return $socket;
}

sub answer {
    my ($client, $peer) = @_;
    my $head = '';
    while ($head !~ /\r?\n\r?\n/) {
        return if length $head > $longest_request;
        sysread($client, $head, 4096, length $head) or return;
    }
    my ($method, $path) = $head =~ m{^(\S+) (\S+)} or return;
    my ($address, $port) = address($peer);
    my @fields = (
        pod => $ENV{POD_NAME} || first_line('/proc/sys/kernel/hostname') || $ENV{HOSTNAME} || '',
        namespace => $ENV{POD_NAMESPACE}
            || first_line('/var/run/secrets/kubernetes.io/serviceaccount/namespace') || '',
        node => $ENV{NODE_NAME} || '',
        client => $address,
        client_port => $port,
        server => (address(getsockname($client)))[0],
        method => $method,
        path => $path,
    );
    my $body = json(@fields) . "\n";
    my $size = length $body;
    my $reply = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: $size\r\nConnection: close\r\n\r\n";
    $reply .= $body if $method ne 'HEAD';
    send_all($client, $reply);
    print_line("$address $method $path");
    # Closing while the client still sends would reset the connection and lose the answer.
    shutdown($client, 1);
    1 while sysread($client, my $rest, 65536);
}

sub send_all {
    my ($client, $text) = @_;
    while (length $text) {
        my $sent = syswrite($client, $text) or return;
        substr($text, 0, $sent) = '';
    }
}

# In one write, so that lines of several processes do not mix.
sub print_line {
    my ($line) = @_;
    syswrite(STDOUT, "$line\n");
}

# The address as text and the port; an IPv4 client of the IPv6 socket has an IPv4 address.
sub address {
    my ($error, $host, $port) = getnameinfo($_[0], NI_NUMERICHOST | NI_NUMERICSERV);
    return ('', 0) if $error;
    $host =~ s/^::ffff:(?=\d+\.)//;
    return ($host, $port);
}

sub first_line {
    my ($path) = @_;
    open(my $file, '<', $path) or return '';
    my $line = <$file> // '';
    chomp $line;
    return $line;
}

sub json {
    my @parts;
    while (my ($name, $value) = splice(@_, 0, 2)) {
        $value =~ s/([\\"])/\\$1/g;
        $value =~ s/([^\x20-\x7e])/sprintf '\\u%04x', ord $1/ge;
        push @parts, $name eq 'client_port' ? "\"$name\":$value" : "\"$name\":\"$value\"";
    }
    return '{' . join(',', @parts) . '}';
}
