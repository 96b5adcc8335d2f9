package socket

import (
	"cmp"
	"encoding/hex"
	"fmt"
	"log/slog"
	"math"
	"net"
	"net/netip"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/librserpool/librserpool/core/internal/assoc"
	"github.com/librserpool/librserpool/core/internal/protocol"
	"github.com/librserpool/librserpool/core/internal/transport"
)

// Config holds the settings of sockets and sessions; rserpool.Options explains them. A zero
// field takes its value from the environment, then from the configuration file, then the
// documented default; what is set here wins. They are read when a socket is made and do not
// change for it afterwards.
type Config struct {
	Registrars   []string
	Transport    string
	NoEmbedded   bool
	LoopbackPort uint16
	WaitForPool  *time.Duration
	SessionOptions
	PoolKey      []byte
	CookieLife   time.Duration
	LoadInterval time.Duration
	Compat       string
	Announce     string
	Advertise    []netip.Addr
	Logger       *slog.Logger
	MaxMessage   int
	Led          bool // by threads that wait for the socket: see Socket.Lead

	// Observe is told what happens, one event after the other, on a goroutine of the
	// library or of a caller, without a lock; nil: nobody is.
	Observe func(Event)

	host *host // tests have several
}

// DefaultConfigFile is read when RSERPOOL_CONFIG names no other; it need not
// exist.
const DefaultConfigFile = "/etc/rserpool.conf"

// variables are the names that the environment and the file may set.
var variables = []string{
	"RSERPOOL_REGISTRARS", "RSERPOOL_TRANSPORT", "RSERPOOL_EMBEDDED", "RSERPOOL_PORT", "RSERPOOL_FAILOVER", "RSERPOOL_LOG",
	"RSERPOOL_COMPAT", "RSERPOOL_PEERS", "RSERPOOL_POOL_KEY", "RSERPOOL_ANNOUNCE", "RSERPOOL_ADVERTISE", "RSERPOOL_WAIT",
}

// ConfigFromEnv returns the settings of the environment and the configuration
// file with the defaults filled in. Its errors wrap ErrInvalid and name the
// variable that is wrong.
func ConfigFromEnv() (Config, error) { return Config{}.resolve() }

// resolve returns the settings with every field filled in but Registrars,
// which stay empty if nobody names any.
func (c Config) resolve() (Config, error) {
	env, err := settings()
	if err != nil {
		return c, err
	}
	for _, f := range []func(map[string]string) error{
		c.resolveRegistrars, c.resolveTransport, c.resolveEmbedded, c.resolvePort, c.resolveFailover, c.resolveLogger,
		c.resolveCompat, c.resolvePoolKey, c.resolveAnnounce, c.resolveAdvertise, c.resolveWait,
	} {
		if err := f(env); err != nil {
			return c, err
		}
	}
	if c.SessionOptions, err = c.SessionOptions.Resolve(); err != nil {
		return c, err
	}
	if c.LoadInterval = cmp.Or(c.LoadInterval, defaultLoadInterval); c.LoadInterval < 0 {
		return c, fmt.Errorf("%w: LoadInterval %v is negative", ErrInvalid, c.LoadInterval)
	}
	limits := assoc.Default()
	c.MaxMessage = cmp.Or(c.MaxMessage, limits.MaxMessage)
	if c.MaxMessage < 0 || c.MaxMessage > limits.MaxMessage {
		return c, fmt.Errorf("%w: MaxMessage %d is out of range (messages have 1 to %d bytes)", ErrInvalid, c.MaxMessage, limits.MaxMessage)
	}
	c.host = cmp.Or(c.host, thisHost)
	return c, nil
}

func (c *Config) resolveTransport(env map[string]string) error {
	c.Transport = cmp.Or(c.Transport, env["RSERPOOL_TRANSPORT"], transport.KindAuto)
	known := []string{transport.KindAuto, transport.KindKernel, transport.KindUserland}
	if !slices.Contains(known, c.Transport) {
		return fmt.Errorf("%w: transport %q; it is one of %s (RSERPOOL_TRANSPORT)", ErrInvalid, c.Transport, strings.Join(known, ", "))
	}
	return nil
}

func (c *Config) resolveEmbedded(env map[string]string) error {
	switch v := strings.ToLower(env["RSERPOOL_EMBEDDED"]); v {
	case "", "on", "1", "yes", "true":
	case "off", "0", "no", "false":
		c.NoEmbedded = true
	default:
		return fmt.Errorf("%w: RSERPOOL_EMBEDDED is %q; it is on or off", ErrInvalid, v)
	}
	return nil
}

func (c *Config) resolvePort(env map[string]string) error {
	if v := env["RSERPOOL_PORT"]; c.LoopbackPort == 0 && v != "" {
		n, err := strconv.ParseUint(v, 10, 16)
		if err != nil || n == 0 {
			return fmt.Errorf("%w: RSERPOOL_PORT is %q; it is a port number from 1 to 65535", ErrInvalid, v)
		}
		c.LoopbackPort = uint16(n)
	}
	c.LoopbackPort = cmp.Or(c.LoopbackPort, protocol.PortASAP)
	return nil
}

func (c *Config) resolveFailover(env map[string]string) error {
	if v := env["RSERPOOL_FAILOVER"]; c.FailoverLimit == 0 && v != "" {
		d, err := parseTime(v)
		if err != nil || d == 0 {
			return fmt.Errorf("%w: RSERPOOL_FAILOVER is %q; it is a time like 15s, or -1 for no limit", ErrInvalid, v)
		}
		c.FailoverLimit = d
	}
	return nil
}

// parseTime reads a time like 1m30s, or a number of seconds.
func parseTime(text string) (time.Duration, error) {
	d, err := time.ParseDuration(text)
	if err != nil {
		d, err = time.ParseDuration(text + "s")
	}
	return d, err
}

func (c *Config) resolvePoolKey(env map[string]string) error {
	if v := env["RSERPOOL_POOL_KEY"]; len(c.PoolKey) == 0 && v != "" {
		if strings.ContainsAny(v, "/.") {
			text, err := readFile(v)
			if err != nil {
				return fmt.Errorf("%w: pool key: %w (RSERPOOL_POOL_KEY)", ErrInvalid, err)
			}
			v = strings.TrimSpace(text)
		}
		key, err := hex.DecodeString(v)
		if err != nil {
			return fmt.Errorf("%w: the pool key is not written in hexadecimal digits; make one with: openssl rand -hex 32 (RSERPOOL_POOL_KEY)", ErrInvalid)
		}
		c.PoolKey = key
	}
	if n := len(c.PoolKey); n > 0 && n < minPoolKey {
		return fmt.Errorf("%w: a pool key of %d bytes is too short; it has 16 or more, 32 are good (RSERPOOL_POOL_KEY)", ErrInvalid, n)
	}
	c.CookieLife = cmp.Or(c.CookieLife, 24*time.Hour)
	if c.CookieLife < 0 {
		return fmt.Errorf("%w: CookieLife %v is negative", ErrInvalid, c.CookieLife)
	}
	return nil
}

func (c *Config) resolveLogger(env map[string]string) error {
	level, err := logLevel(env, slog.LevelWarn)
	if err != nil {
		return err
	}
	var handler slog.Handler = slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: level})
	if level == levelOff {
		handler = slog.DiscardHandler
	}
	c.Logger = cmp.Or(c.Logger, slog.New(handler))
	return nil
}

// levelOff is above all levels.
const levelOff slog.Level = math.MaxInt

func logLevel(env map[string]string, otherwise slog.Level) (level slog.Level, err error) {
	switch v := strings.ToLower(env["RSERPOOL_LOG"]); v {
	case "debug", "info", "warn", "error":
		_ = level.UnmarshalText([]byte(v)) // these four it knows
	case "":
		level = otherwise
	case "off":
		level = levelOff
	default:
		err = fmt.Errorf("%w: RSERPOOL_LOG is %q; it is off, error, warn, info or debug", ErrInvalid, v)
	}
	return level, err
}

// settings returns the variables: the environment's value, or else the file's.
func settings() (map[string]string, error) {
	name, named := os.LookupEnv("RSERPOOL_CONFIG")
	if name == "" {
		name, named = DefaultConfigFile, false
	}
	text, err := readFile(name)
	if err != nil && (named || !os.IsNotExist(err)) {
		return nil, fmt.Errorf("%w: configuration file: %w (RSERPOOL_CONFIG)", ErrInvalid, err)
	}
	out, err := parseFile(name, text)
	if err != nil {
		return nil, err
	}
	for _, v := range variables {
		if value := os.Getenv(v); value != "" {
			out[v] = value
		}
	}
	return out, nil
}

func parseFile(name, text string) (map[string]string, error) {
	out := map[string]string{}
	for i, line := range strings.Split(text, "\n") {
		line = strings.TrimSpace(line)
		if line == "" || line[0] == '#' {
			continue
		}
		key, value, ok := strings.Cut(line, "=")
		key = strings.TrimSpace(key)
		if !ok || !slices.Contains(variables, key) {
			return nil, fmt.Errorf("%w: %s line %d: %q is not NAME=VALUE with a name of %s",
				ErrInvalid, name, i+1, line, strings.Join(variables, ", "))
		}
		out[key] = strings.Trim(strings.TrimSpace(value), `"'`)
	}
	return out, nil
}

// withDefaultPort returns host:port for "host", "host:port", "[v6]:port",
// "[v6]" or a bare IPv6 address.
func withDefaultPort(addr string, port uint16) (string, error) {
	host, given, err := net.SplitHostPort(addr)
	if err != nil {
		host, given = strings.Trim(addr, "[]"), strconv.Itoa(int(port))
		if strings.Contains(host, ":") && !isAddr(host) {
			return "", err
		}
	}
	if host == "" {
		return "", fmt.Errorf("no host")
	}
	if n, err := strconv.ParseUint(given, 10, 16); err != nil || n == 0 {
		return "", fmt.Errorf("port %q is not a number from 1 to 65535", given)
	}
	return net.JoinHostPort(host, given), nil
}

func isAddr(host string) bool {
	_, err := netip.ParseAddr(host)
	return err == nil
}
