/* scale_empty.c: does nothing; linked to what flec is linked to, it shows what starting costs without flec. */
int main(void)
{
    return 0;
}
