/* pcap_sum.c - the limit to compare with: libpcap's loop over a capture, summing every byte. */
#include <pcap/pcap.h>
#include <stdint.h>
#include <stdio.h>

static void on_packet(u_char *user, const struct pcap_pkthdr *h, const u_char *bytes)
{
    uint64_t *sum = (uint64_t *)(void *)user;
    uint64_t s = 0;
    for (bpf_u_int32 i = 0; i < h->caplen; i++)
        s += bytes[i];
    *sum += s;
}

int main(int argc, char **argv)
{
    char error[PCAP_ERRBUF_SIZE];
    pcap_t *p = argc == 2 ? pcap_open_offline(argv[1], error) : NULL;
    if (p == NULL)
        return 2;
    uint64_t sum = 0;
    int r = pcap_loop(p, -1, on_packet, (u_char *)&sum);
    (void)printf("%llu\n", (unsigned long long)sum);
    pcap_close(p);
    return r == 0 ? 0 : 1;
}
