// SPDX-License-Identifier: Apache-2.0

package interop

import (
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"os"
	"strconv"
	"strings"
	"time"
)

// Login is how a client proves who it is; what it does not need is empty.
type Login struct {
	CA, Certificate, Key             string // Files.
	Mechanism, User, Password, Token string
	Keytab, Realm, Service           string
}

// Way is a way into a secured broker, see security.py.
type Way struct {
	Bootstrap   string
	Good, Wrong Login
}

// TLS is the client's side.
func (l Login) TLS() (*tls.Config, error) {
	text, err := os.ReadFile(l.CA)
	if err != nil {
		return nil, err
	}
	config := &tls.Config{RootCAs: x509.NewCertPool()}
	if !config.RootCAs.AppendCertsFromPEM(text) {
		return nil, errors.New("no certificate in " + l.CA)
	}
	if l.Certificate != "" {
		pair, err := tls.LoadX509KeyPair(l.Certificate, l.Key)
		if err != nil {
			return nil, err
		}
		config.Certificates = []tls.Certificate{pair}
	}
	return config, nil
}

// WaysIn gives a feature for each of them.
func WaysIn(try func(facts *Facts, name string, way Way) error) []Feature {
	var features []Feature
	for _, name := range []string{"tls", "mtls", "sasl_plain", "sasl_scram_256", "sasl_scram_512", "sasl_oauthbearer"} {
		features = append(features, WayIn(name, try))
	}
	return features
}

// WayIn gives a feature for this one.
func WayIn(name string, try func(facts *Facts, name string, way Way) error) Feature {
	return Feature{Name: name, Run: func(facts *Facts) error {
		text, err := os.ReadFile(os.Getenv("LEAT_SECURITY"))
		if err != nil {
			return err
		}
		ways := map[string]Way{}
		if err := json.Unmarshal(text, &ways); err != nil {
			return err
		}
		return try(facts, name, ways[name])
	}}
}

// connectionsTo gives ports of ours that are connected to that port of this machine.
func connectionsTo(address string) (map[string]bool, error) {
	_, wanted, err := net.SplitHostPort(address)
	if err != nil {
		return nil, err
	}
	found := map[string]bool{}
	for _, name := range []string{"tcp", "tcp6"} {
		text, err := os.ReadFile("/proc/net/" + name)
		if err != nil {
			return nil, err
		}
		for _, row := range strings.Split(string(text), "\n")[1:] {
			words := strings.Fields(row)
			if len(words) < 4 || words[3] != "01" {
				continue
			}
			port, err := strconv.ParseUint(words[2][strings.LastIndex(words[2], ":")+1:], 16, 16)
			if err == nil && strconv.FormatUint(port, 10) == wanted {
				found[words[1]] = true
			}
		}
	}
	return found, nil
}

// OutliveSession writes for longer than two sessions of security.py last: who does not prove anew who he is loses his connection and opens another.
func OutliveSession(facts *Facts, way Way, write func(number int) (int64, error)) error {
	var before map[string]bool
	for number := range 90 {
		offset, err := write(number)
		if err != nil {
			return fmt.Errorf("row %d: %w", number, err)
		}
		if offset != int64(number) {
			return fmt.Errorf("row %d is at %d", number, offset)
		}
		if number == 9 {
			if before, err = connectionsTo(way.Bootstrap); err != nil {
				return err
			}
		}
		time.Sleep(100 * time.Millisecond)
	}
	after, err := connectionsTo(way.Bootstrap)
	if err != nil {
		return err
	}
	if len(after) == 0 {
		return errors.New("nobody is connected")
	}
	fresh := 0
	for port := range after {
		if !before[port] {
			fresh++
		}
	}
	facts.Add("stayed connected %v", fresh < len(after) && fresh <= 1)
	return nil
}
