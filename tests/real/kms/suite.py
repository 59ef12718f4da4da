#!/usr/bin/env python3
"""suite.py: the KMS drivers against moto (AWS, signatures and IAM checked), OpenBao (plain, and TLS with client certificates), a stub of Azure and Google,
and the vendor's own Python drivers both ways; the generated access to keys applied. No cloud is called. usage: suite.py FLEC KMS-TOOL SERVERS-PYTHON VENDOR-PYTHON REPORT.xml"""
import os, shutil, signal, sys, tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "..", "lib"))
from access import Built, aws_access, azure_access, google_access, rules_access, vault_access
from aws import Aws, aws_tests
from clouds import Stub, azure_settings, azure_tests, google_tests
from junit import Report
from tool import Tool
from vault import served, start_bao, vault_tests, whole_path


def main():
    flec, program, python, vendor, out = sys.argv[1:]
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # the servers end with us
    report = Report("kms")
    work = tempfile.mkdtemp(prefix="flec-kms-")
    servers = []
    try:
        tool = Tool(os.path.abspath(program), work, vendor)
        stub = Stub(python, work + "/stub", work, servers)
        other = Stub(python, work + "/other", work, servers)  # for its CA
        bao, secure = start_bao(python, work, servers, stub.folder)
        report.run("local: the vendor's driver both ways", lambda: tool.interop("local-kms", "any", {"conf": {"secret": "mysecret"}}, settings={"secret": "mysecret"}))
        aws = Aws(python, work, servers)
        built = Built(os.path.abspath(flec), work, aws.made, bao.at)
        aws_tests(report, tool, python, work, aws)
        aws_access(report, tool, aws.at, aws.made, built, aws.unchecked)
        rules_access(report, aws.made, built)
        vault_tests(report, tool, bao, secure, stub.folder, other.folder + "/ca.pem")
        vault_access(report, tool, bao, built)
        whole_path(report, os.path.abspath(flec), work, bao)
        served(report, os.path.abspath(flec), tool, work, bao, servers)
        azure_tests(report, tool, stub)
        azure_access(report, tool, stub, azure_settings(stub), built, work)
        google_tests(report, tool, stub)
        google_access(report, tool, vendor, built, work)
    finally:
        for s in reversed(servers):
            s.stop()
        shutil.rmtree(work, ignore_errors=True)
    report.write(out)


main()
