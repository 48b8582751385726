"""The demo's application: one small file in the top layer."""


def main() -> None:
    print("started before the image was downloaded")


if __name__ == "__main__":
    main()
