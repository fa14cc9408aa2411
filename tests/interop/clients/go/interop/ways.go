// SPDX-License-Identifier: Apache-2.0

package interop

import (
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"os"
)

// Login is how a client proves who it is; what it does not need is empty.
type Login struct {
	CA, Certificate, Key             string // Files.
	Mechanism, User, Password, Token string
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
		features = append(features, Feature{Name: name, Run: func(facts *Facts) error {
			text, err := os.ReadFile(os.Getenv("LEAT_SECURITY"))
			if err != nil {
				return err
			}
			ways := map[string]Way{}
			if err := json.Unmarshal(text, &ways); err != nil {
				return err
			}
			return try(facts, name, ways[name])
		}})
	}
	return features
}
