// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"fmt"
	"os"
	"time"

	"github.com/jcmturner/gokrb5/v8/client"
	"github.com/jcmturner/gokrb5/v8/config"
	"github.com/jcmturner/gokrb5/v8/keytab"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/sasl/kerberos"
	"github.com/twmb/franz-go/pkg/sasl/oauth"
	"github.com/twmb/franz-go/pkg/sasl/plain"
	"github.com/twmb/franz-go/pkg/sasl/scram"
	"leat/interop/interop"
)

func secured(way interop.Way, login interop.Login, more ...kgo.Opt) (*kgo.Client, error) {
	secure, err := login.TLS()
	if err != nil {
		return nil, err
	}
	options := append([]kgo.Opt{kgo.SeedBrokers(way.Bootstrap), kgo.AllowAutoTopicCreation(), kgo.RecordPartitioner(kgo.ManualPartitioner())}, more...)
	if login.Mechanism != "GSSAPI" {
		options = append(options, kgo.DialTLSConfig(secure))
	}
	switch login.Mechanism {
	case "PLAIN":
		options = append(options, kgo.SASL(plain.Auth{User: login.User, Pass: login.Password}.AsMechanism()))
	case "SCRAM-SHA-256":
		options = append(options, kgo.SASL(scram.Auth{User: login.User, Pass: login.Password}.AsSha256Mechanism()))
	case "SCRAM-SHA-512":
		options = append(options, kgo.SASL(scram.Auth{User: login.User, Pass: login.Password}.AsSha512Mechanism()))
	case "GSSAPI":
		auth, err := ticket(login)
		if err != nil {
			return nil, err
		}
		options = append(options, kgo.SASL(auth.AsMechanismWithClose()))
	case "OAUTHBEARER":
		options = append(options, kgo.SASL(oauth.Auth{Token: login.Token}.AsMechanism()))
	}
	return kgo.NewClient(options...)
}

func ticket(login interop.Login) (kerberos.Auth, error) {
	settings, err := config.Load(os.Getenv("KRB5_CONFIG"))
	if err != nil {
		return kerberos.Auth{}, err
	}
	keys, err := keytab.Load(login.Keytab)
	if err != nil {
		return kerberos.Auth{}, err
	}
	return kerberos.Auth{Client: client.NewWithKeytab(login.User, login.Realm, keys, settings, client.DisablePAFXFAST(true)), Service: "kafka"}, nil
}

func (p *program) wayIn(facts *interop.Facts, short string, way interop.Way) error {
	ctx, cancel := brief()
	defer cancel()
	topic := p.topic(short)
	places := map[string]map[int32]kgo.Offset{topic: {0: kgo.NewOffset().At(0)}}
	writer, err := secured(way, way.Good)
	if err != nil {
		return err
	}
	defer writer.Close()
	for _, text := range []string{"a", "b", "c"} {
		result := writer.ProduceSync(ctx, &kgo.Record{Topic: topic, Value: []byte(text)})
		if err := result.FirstErr(); err != nil {
			return err
		}
		facts.Add("written %d", result[0].Record.Offset)
	}
	reader, err := secured(way, way.Good, kgo.ConsumePartitions(places))
	if err != nil {
		return err
	}
	defer reader.Close()
	for count := 0; count < 3; {
		fetches := reader.PollFetches(ctx)
		if errs := fetches.Errors(); len(errs) > 0 {
			return errs[0].Err
		}
		fetches.EachRecord(func(row *kgo.Record) {
			facts.Add("read %d:%s", row.Offset, row.Value)
			count++
		})
	}
	stranger, err := secured(way, way.Wrong, kgo.RequestRetries(0))
	if err != nil {
		return err
	}
	defer stranger.Close()
	short4, cancel4 := context.WithTimeout(context.Background(), 8*time.Second)
	defer cancel4()
	switch err := stranger.Ping(short4); {
	case err == nil:
		facts.Add("the wrong login is let in")
	case way.Wrong.Mechanism != "":
		facts.Add("the wrong login: %s", name(err))
	default: // The words are the TLS library's.
		facts.Add("the wrong login is refused")
	}
	return nil
}

func (p *program) stay(facts *interop.Facts, short string, way interop.Way) error {
	writer, err := secured(way, way.Good)
	if err != nil {
		return err
	}
	defer writer.Close()
	ctx, cancel := brief()
	defer cancel()
	return interop.OutliveSession(facts, way, func(number int) (int64, error) {
		row, err := writer.ProduceSync(ctx, &kgo.Record{Topic: p.topic(short), Value: fmt.Appendf(nil, "row %d", number)}).First()
		if err != nil {
			return 0, err
		}
		return row.Offset, nil
	})
}
