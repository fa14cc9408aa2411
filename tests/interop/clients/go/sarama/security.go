// SPDX-License-Identifier: Apache-2.0

package main

import (
	"os"
	"time"

	"github.com/IBM/sarama"
	"github.com/xdg-go/scram"
	"leat/interop/interop"
)

type scramClient struct {
	hash         scram.HashGeneratorFcn
	conversation *scram.ClientConversation
}

func (s *scramClient) Begin(user, password, authzID string) error {
	client, err := s.hash.NewClient(user, password, authzID)
	if err == nil {
		s.conversation = client.NewConversation()
	}
	return err
}

func (s *scramClient) Step(challenge string) (string, error) { return s.conversation.Step(challenge) }

func (s *scramClient) Done() bool { return s.conversation.Done() }

type token string

func (t token) Token() (*sarama.AccessToken, error) {
	return &sarama.AccessToken{Token: string(t)}, nil
}

func secured(login interop.Login) (*sarama.Config, error) {
	tls, err := login.TLS()
	if err != nil {
		return nil, err
	}
	return config(func(c *sarama.Config) {
		c.Net.TLS.Enable, c.Net.TLS.Config = login.Mechanism != "GSSAPI", tls
		c.Metadata.Retry.Max = 1
		c.Net.DialTimeout = 5 * time.Second
		if login.Mechanism == "" {
			return
		}
		c.Net.SASL.Enable, c.Net.SASL.Mechanism = true, sarama.SASLMechanism(login.Mechanism)
		c.Net.SASL.User, c.Net.SASL.Password = login.User, login.Password
		switch login.Mechanism {
		case sarama.SASLTypeSCRAMSHA256:
			c.Net.SASL.SCRAMClientGeneratorFunc = func() sarama.SCRAMClient { return &scramClient{hash: scram.SHA256} }
		case sarama.SASLTypeSCRAMSHA512:
			c.Net.SASL.SCRAMClientGeneratorFunc = func() sarama.SCRAMClient { return &scramClient{hash: scram.SHA512} }
		case sarama.SASLTypeGSSAPI:
			c.Net.SASL.GSSAPI = sarama.GSSAPIConfig{AuthType: sarama.KRB5_KEYTAB_AUTH, KeyTabPath: login.Keytab, KerberosConfigPath: os.Getenv("KRB5_CONFIG"),
				ServiceName: "kafka", Username: login.User, Realm: login.Realm, DisablePAFXFAST: true}
		case sarama.SASLTypeOAuth:
			c.Net.SASL.TokenProvider = token(login.Token)
		}
	}), nil
}

func (p *program) wayIn(facts *interop.Facts, short string, way interop.Way) error {
	topic, brokers := p.topic(short), []string{way.Bootstrap}
	good, err := secured(way.Good)
	if err != nil {
		return err
	}
	producer, err := sarama.NewSyncProducer(brokers, good)
	if err != nil {
		return err
	}
	defer producer.Close()
	for _, text := range []string{"a", "b", "c"} {
		_, offset, err := producer.SendMessage(&sarama.ProducerMessage{Topic: topic, Value: sarama.StringEncoder(text)})
		if err != nil {
			return err
		}
		facts.Add("written %d", offset)
	}
	consumer, err := sarama.NewConsumer(brokers, good)
	if err != nil {
		return err
	}
	defer consumer.Close()
	rows, err := consumer.ConsumePartition(topic, 0, sarama.OffsetOldest)
	if err != nil {
		return err
	}
	defer rows.Close()
	for range 3 {
		select {
		case row := <-rows.Messages():
			facts.Add("read %d:%s", row.Offset, row.Value)
		case err := <-rows.Errors():
			return err
		}
	}
	wrong, err := secured(way.Wrong)
	if err != nil {
		return err
	}
	if client, err := sarama.NewClient(brokers, wrong); err == nil {
		client.Close()
		facts.Add("the wrong login is let in")
	} else {
		facts.Add("the wrong login is refused")
	}
	return nil
}

func (p *program) stay(facts *interop.Facts, short string, way interop.Way) error {
	good, err := secured(way.Good)
	if err != nil {
		return err
	}
	producer, err := sarama.NewSyncProducer([]string{way.Bootstrap}, good)
	if err != nil {
		return err
	}
	defer producer.Close()
	return interop.OutliveSession(facts, way, func(number int) (int64, error) {
		_, offset, err := producer.SendMessage(row(p.topic(short), 0, "row %d", number))
		return offset, err
	})
}
