// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"errors"
	"time"

	"github.com/segmentio/kafka-go"
	"github.com/segmentio/kafka-go/sasl"
	"github.com/segmentio/kafka-go/sasl/plain"
	"github.com/segmentio/kafka-go/sasl/scram"
	"leat/interop/interop"
)

// The library leaves this mechanism to its users.
type bearer string

func (b bearer) Name() string { return "OAUTHBEARER" }

func (b bearer) Start(context.Context) (sasl.StateMachine, []byte, error) {
	return b, []byte("n,,\x01auth=Bearer " + string(b) + "\x01\x01"), nil
}

func (b bearer) Next(_ context.Context, challenge []byte) (bool, []byte, error) {
	if len(challenge) > 0 {
		return false, nil, errors.New("the token is refused")
	}
	return true, nil, nil
}

func mechanism(login interop.Login) (sasl.Mechanism, error) {
	switch login.Mechanism {
	case "PLAIN":
		return plain.Mechanism{Username: login.User, Password: login.Password}, nil
	case "SCRAM-SHA-256":
		return scram.Mechanism(scram.SHA256, login.User, login.Password)
	case "SCRAM-SHA-512":
		return scram.Mechanism(scram.SHA512, login.User, login.Password)
	case "OAUTHBEARER":
		return bearer(login.Token), nil
	}
	return nil, nil
}

func (p *program) wayIn(facts *interop.Facts, short string, way interop.Way) error {
	ctx, cancel := brief()
	defer cancel()
	topic := p.topic(short)
	tls, err := way.Good.TLS()
	if err != nil {
		return err
	}
	login, err := mechanism(way.Good)
	if err != nil {
		return err
	}
	transport := &kafka.Transport{TLS: tls, SASL: login, MetadataTTL: time.Second}
	defer transport.CloseIdleConnections()
	client := &kafka.Client{Addr: kafka.TCP(way.Bootstrap), Transport: transport}
	made, err := client.CreateTopics(ctx, &kafka.CreateTopicsRequest{Topics: []kafka.TopicConfig{{Topic: topic, NumPartitions: 1, ReplicationFactor: 1}}})
	if err != nil || made.Errors[topic] != nil {
		return errors.Join(err, made.Errors[topic])
	}
	interop.Settle()
	writer := &kafka.Writer{Addr: kafka.TCP(way.Bootstrap), Topic: topic, Transport: transport, RequiredAcks: kafka.RequireAll,
		BatchTimeout: 10 * time.Millisecond}
	defer writer.Close()
	if err := writer.WriteMessages(ctx, kafka.Message{Value: []byte("a")}, kafka.Message{Value: []byte("b")}, kafka.Message{Value: []byte("c")}); err != nil {
		return err
	}
	reader := kafka.NewReader(kafka.ReaderConfig{Brokers: []string{way.Bootstrap}, Topic: topic, Partition: 0, MaxWait: 100 * time.Millisecond,
		Dialer: &kafka.Dialer{TLS: tls, SASLMechanism: login, Timeout: 10 * time.Second}})
	defer reader.Close()
	for range 3 {
		row, err := reader.ReadMessage(ctx)
		if err != nil {
			return err
		}
		facts.Add("read %d:%s", row.Offset, row.Value)
	}
	return p.refused(facts, way)
}

func (p *program) refused(facts *interop.Facts, way interop.Way) error {
	tls, err := way.Wrong.TLS()
	if err != nil {
		return err
	}
	login, err := mechanism(way.Wrong)
	if err != nil {
		return err
	}
	transport := &kafka.Transport{TLS: tls, SASL: login}
	defer transport.CloseIdleConnections()
	ctx, cancel := context.WithTimeout(context.Background(), 8*time.Second)
	defer cancel()
	client := &kafka.Client{Addr: kafka.TCP(way.Bootstrap), Transport: transport}
	if _, err := client.Metadata(ctx, &kafka.MetadataRequest{}); err == nil {
		facts.Add("the wrong login is let in")
	} else {
		facts.Add("the wrong login is refused")
	}
	return nil
}
