/* aws.c: the driver of aws-kms: Encrypt and Decrypt of AWS KMS, signed with Signature Version 4. */
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "runtime/kms/aws_identity.h"
#include "runtime/kms/remote.h"

enum { MAX_WRAPPED = 6144 }; /* AWS's own limit of a CiphertextBlob */

typedef struct aws {
    kms_remote r;
    aws_place place;
} aws;

/* arn:PARTITION:kms:REGION:ACCOUNT:key/… or alias/…. Region and partition become a host name. */
static bool parse_arn(const char *arn, aws_place *p)
{
    static const struct {
        const char *partition, *domain;
    } known[] = {{"aws", "amazonaws.com"}, {"aws-cn", "amazonaws.com.cn"}, {"aws-us-gov", "amazonaws.com"}};
    const char *part[6];
    size_t len[6], n = 0;
    for (const char *s = arn; n < 6; s += len[n - 1] + 1) {
        part[n] = s;
        len[n] = n == 5 ? strlen(s) : strcspn(s, ":");
        if (!len[n] || (n < 5 && !s[len[n]]))
            return false;
        n++;
    }
    if (strncmp(arn, "arn:", 4) != 0 || strncmp(part[2], "kms:", 4) != 0 || len[3] >= sizeof p->region)
        return false;
    for (size_t i = 0; i < len[3]; i++)
        if (!islower((unsigned char)part[3][i]) && !isdigit((unsigned char)part[3][i]) && part[3][i] != '-')
            return false;
    memcpy(p->region, part[3], len[3]);
    p->region[len[3]] = 0;
    p->domain = NULL;
    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++)
        if (strlen(known[i].partition) == len[1] && !memcmp(known[i].partition, part[1], len[1]))
            p->domain = known[i].domain;
    return p->domain && (!strncmp(part[5], "key/", 4) || !strncmp(part[5], "alias/", 6));
}

static fl_secret body_of(const aws *w, const char *member, const uint8_t *p, size_t n)
{
    fl_secret text = kms_b64(p, n, false);
    fl_secret body = KMS_JOIN(KMS_TEXT("{\"KeyId\":\""), KMS_TEXT(w->r.key_id), KMS_TEXT("\",\""), KMS_TEXT(member),
                              KMS_TEXT("\":\""), &text, KMS_TEXT("\"}"));
    fl_secret_free(&text);
    return body;
}

/* One signed call. *expired: a kept session had expired, and is forgotten. */
static rt_code once(aws *w, const char *target, const char *member, const uint8_t *p, size_t n, rt_http_answer *a,
                    bool *expired, rt_error *err)
{
    aws_identity who;
    rt_http_request q = {.method = "POST"};
    *expired = false;
    rt_code code = aws_identity_find(&w->r, &w->place, &who, err);
    if (code != RT_OK)
        return code;
    fl_secret url = aws_endpoint(&w->r, "kms", &w->place);
    q.url = (char *)url.bytes;
    q.body = body_of(w, member, p, n);
    bool ready = rt_http_header(&q, "Content-Type", "application/x-amz-json-1.1", 26) &&
                 rt_http_header(&q, "X-Amz-Target", target, strlen(target)) &&
                 aws_sign(&q, &who.c, w->place.region, "kms", time(NULL));
    code = ready ? kms_call(&w->r, w->r.http, &q, a, err)
                 : kms_fail(&w->r, err, "the AWS credentials hold characters that cannot be sent");
    if (code == RT_OK && a->status != 200) {
        *expired = who.kept && aws_problem(a) == KMS_EXPIRED;
        code = aws_refused(&w->r, NULL, a, err);
        rt_http_answer_free(a);
    }
    if (*expired)
        aws_identity_drop(&who);
    rt_http_request_free(&q);
    fl_secret_free(&url);
    aws_identity_free(&who);
    return code;
}

static rt_code call(aws *w, const char *target, const char *member, const uint8_t *p, size_t n, rt_http_answer *a,
                    rt_error *err)
{
    bool expired;
    rt_code code = once(w, target, member, p, n, a, &expired, err);
    return expired ? once(w, target, member, p, n, a, &expired, err) : code;
}

static rt_code wrap(rt_kms *kms, const fl_secret *plain, fl_buf *wrapped, rt_error *err)
{
    aws *w = (aws *)kms;
    rt_http_answer a;
    fl_secret text, blob = {0};
    rt_code code = call(w, "TrentService.Encrypt", "Plaintext", plain->bytes, plain->len, &a, err);
    if (code != RT_OK)
        return code;
    bool ok = kms_json_text(&a.body, "CiphertextBlob", &text) &&
              kms_unb64((char *)text.bytes, text.len, false, &blob) && blob.len && blob.len <= MAX_WRAPPED &&
              fl_buf_add(wrapped, blob.bytes, blob.len);
    fl_secret_free(&text);
    fl_secret_free(&blob);
    rt_http_answer_free(&a);
    return ok ? RT_OK : kms_fail(&w->r, err, "AWS KMS: an answer without a CiphertextBlob");
}

/* The key that opened it must be the one that was asked, where its ARN says which that is. */
static bool same_key(const aws *w, const fl_secret *answer)
{
    fl_secret id;
    if (!strstr(w->r.key_id, ":key/"))
        return true;
    bool same = kms_json_text(answer, "KeyId", &id) && !strcmp((char *)id.bytes, w->r.key_id);
    fl_secret_free(&id);
    return same;
}

static rt_code unwrap(rt_kms *kms, const uint8_t *wrapped, size_t n, fl_secret *plain, rt_error *err)
{
    aws *w = (aws *)kms;
    rt_http_answer a;
    fl_secret text = {0};
    if (!n || n > MAX_WRAPPED)
        return kms_fail(&w->r, err, "a wrapped key of %zu bytes is none of AWS KMS", n);
    rt_code code = call(w, "TrentService.Decrypt", "CiphertextBlob", wrapped, n, &a, err);
    if (code != RT_OK)
        return code;
    if (!same_key(w, &a.body))
        code = kms_fail(&w->r, err, "AWS KMS opened the wrapped key with another key than %s", w->r.key_id);
    else if (!kms_json_text(&a.body, "Plaintext", &text) || !kms_unb64((char *)text.bytes, text.len, false, plain))
        code = kms_fail(&w->r, err, "AWS KMS: an answer without a Plaintext");
    fl_secret_free(&text);
    rt_http_answer_free(&a);
    return code;
}

static void aws_free(rt_kms *kms)
{
    aws *w = (aws *)kms;
    kms_remote_end(&w->r);
    free(w);
}

rt_code rt_kms_aws_open(const char *kek, const char *key_id, const rt_params *params, rt_kms **out, rt_error *err)
{
    aws *w = fl_xcalloc(1, sizeof *w);
    w->r.kms = (rt_kms){wrap, unwrap, aws_free};
    rt_code code = kms_remote_init(&w->r, "aws-kms", kek, key_id, params, aws_again, err);
    for (const char *s = key_id; code == RT_OK && *s; s++)
        if (!isalnum((unsigned char)*s) && !strchr(":/_-", *s))
            code = kms_fail(&w->r, err, "the key id holds a character that no ARN has");
    if (code == RT_OK && !parse_arn(key_id, &w->place))
        code = kms_fail(&w->r, err,
                        "key id %s is not of the form arn:aws:kms:REGION:ACCOUNT:key/ID (or alias/NAME; partitions "
                        "aws, aws-cn, aws-us-gov)",
                        key_id);
    if (code == RT_OK)
        *out = &w->r.kms;
    else
        aws_free(&w->r.kms);
    return code;
}
