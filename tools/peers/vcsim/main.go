// Command vcsim serves govmomi's vSphere simulator on a loopback port, with the flags our tests need.
package main

import (
	"crypto/tls"
	"flag"
	"fmt"
	"log"
	"net/url"
	"os"
	"os/signal"
	"syscall"

	_ "github.com/vmware/govmomi/lookup/simulator"
	"github.com/vmware/govmomi/simulator"
)

func main() {
	listen := flag.String("l", "127.0.0.1:8989", "address to listen on")
	esx := flag.Bool("esx", false, "simulate a lone host instead of a vCenter")
	user := flag.String("username", "", "the only user accepted; any when empty")
	pass := flag.String("password", "", "the only password accepted; any when empty")
	vms := flag.Int("vm", 0, "number of virtual machines per resource pool")
	flag.Parse()

	model := simulator.VPX()
	if *esx {
		model = simulator.ESX()
	}
	model.Machine = *vms
	if err := model.Create(); err != nil {
		log.Fatal(err)
	}
	defer model.Remove()

	model.Service.Listen = &url.URL{Host: *listen}
	if *user != "" {
		model.Service.Listen.User = url.UserPassword(*user, *pass)
	}
	model.Service.RegisterEndpoints = true
	model.Service.TLS = new(tls.Config)
	server := model.Service.NewServer()
	fmt.Printf("listening on %s\n", server.URL.Host)

	stop := make(chan os.Signal, 1)
	signal.Notify(stop, syscall.SIGINT, syscall.SIGTERM)
	// Requests under way, such as long polls, end with the process: closing the server would wait for them.
	<-stop
}
